"""What scripts ask of the store and of the server: the answers to sieve.facts, for one account."""

from dataclasses import dataclass

from mailstack.model.address import parse_address
from mailstack.model.annotation import PRIVATE, SHARED
from mailstack.model.errors import Invalid
from mailstack.model.ids import AccountId, MailboxId
from mailstack.model.instant import Instant
from mailstack.model.principal import Account, MailingList
from mailstack.model.sieve_memory import Purpose
from mailstack.ports.accounts import Accounts
from mailstack.ports.annotations import Annotations
from mailstack.ports.sieve_memory import SieveMemory
from mailstack.services.inbound.filter.places import Places
from mailstack.services.inbound.filter.shelf import Shelf
from mailstack.sieve.facts import (
    Fact,
    IncludedScript,
    IsDuplicate,
    IsListed,
    ListExists,
    MailboxExists,
    MailboxIdExists,
    Metadata,
    SpecialUseExists,
)

LIST_SCHEMES = ("mailto",)
"""RFC 6134 §2.1: of the URIs that name a list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """annotations: None where there are none."""

    places: Places
    shelf: Shelf
    accounts: Accounts
    memory: SieveMemory
    annotations: Annotations | None

    async def answer(self, fact: Fact, account: Account, *, now: Instant) -> object:
        """As sieve.facts has it."""
        account_id = account.account_id
        match fact:
            case MailboxExists(name):
                return await self.places.by_path(account_id, name) is not None
            case MailboxIdExists(object_id):
                return await self.places.by_object_id(account_id, object_id) is not None
            case SpecialUseExists(mailbox, use):
                return await self.places.by_use(account_id, use, mailbox) is not None
            case Metadata(mailbox, name):
                return await self._annotation(account_id, mailbox, name)
            case IsDuplicate(unique_id):
                return await self.memory.is_known(account_id, Purpose.SEEN, unique_id, now=now)
            case ListExists(name):
                return await self.list_of(account, name) is not None
            case IsListed(name, value):
                return await self._is_listed(account, name, value)
            case IncludedScript(name, is_global):
                return await self.shelf.included(account, name, is_global=is_global)

    async def list_of(self, account: Account, name: str) -> MailingList | None:
        """RFC 6134 §2.1: what names a list is the server's affair: here, the address of a mailing list, of whose
        members nobody learns but they and its owners."""
        address = _key(name.removeprefix(f"{LIST_SCHEMES[0]}:"))
        found = None if address is None else await self.accounts.find(address)
        if not isinstance(found, MailingList):
            return None
        own = set(account.address_keys)
        return found if own & {*found.members, *found.owners} else None

    async def _is_listed(self, account: Account, name: str, value: str) -> bool:
        found, address = await self.list_of(account, name), _key(value)
        return found is not None and address in (*found.members, *found.owners)

    async def _annotation(self, account_id: AccountId, mailbox: str, name: str) -> str | None:
        """RFC 5490 §3.1, §5.1: those that IMAP METADATA shows the account's owner."""
        key = name.lower()
        if self.annotations is None or not key.startswith((PRIVATE, SHARED)):
            return None
        mailbox_id: MailboxId | None = None
        if mailbox:
            mailbox_id = await self.places.by_path(account_id, mailbox)
            if mailbox_id is None:
                return None
        found = await self.annotations.read(account_id, mailbox_id, viewer=account_id)
        return found[key].decode("utf-8", "replace") if key in found else None


def _key(text: str) -> str | None:
    try:
        return parse_address(text).key
    except Invalid:
        return None
