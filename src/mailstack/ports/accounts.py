"""The directory: who receives, who logs in. Small indexed reads, asked at every RCPT and every login."""

from collections.abc import Collection, Mapping
from typing import Protocol

from mailstack.model.app_password import AppPassword
from mailstack.model.ids import AccountId
from mailstack.model.principal import Account, AliasTargets, Domain, MailingList


class Accounts(Protocol):
    async def domain(self, name: str) -> Domain | None:
        """name: an A-label, as address.domain_key gives it."""
        ...

    async def find(self, address_key: str) -> Account | AliasTargets | MailingList | None:
        """The account that owns exactly this address (its login or a further one), or the alias or
        list of that name."""
        ...

    async def account(self, account_id: AccountId) -> Account | None: ...

    async def quotas(self, account_ids: Collection[AccountId]) -> Mapping[AccountId, int | None]:
        """quota_bytes of many accounts in one question; of those that there are."""
        ...

    async def app_password(self, digest: bytes) -> AppPassword | None:
        """Also one that has expired, or whose account is in the trash: whoever asks must look."""
        ...

    async def is_name_of_one(self, name: str) -> bool:
        """Whether an account has this name of a person, as the spec writes it."""
        ...

    async def managed_script(self, login: str) -> str | None:
        """The Sieve script that the spec gives this account, instead of any that it has of its own; None: it may have
        its own."""
        ...
