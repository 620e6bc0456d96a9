"""A directory that remembers what it was asked, so that a test can tell how an address was resolved."""

from collections.abc import Collection, Mapping

from mailstack.model.app_password import AppPassword
from mailstack.model.ids import AccountId
from mailstack.model.principal import Account, AliasTargets, Domain, MailingList
from mailstack.ports.accounts import Accounts

SHOWN_TARGETS = 10


class NotedAccounts:
    """Works as ports.accounts.Accounts, and answers as the one behind it does."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._notes: dict[str, None] = {}
        self._catch_alls: dict[str, str] = {}

    def take_notes(self) -> tuple[str, ...]:
        """Each once, in the order of asking; they begin anew."""
        notes = tuple(self._notes)
        self._notes.clear()
        return notes

    def note(self, text: str) -> None:
        self._notes[text] = None

    async def domain(self, name: str) -> Domain | None:
        found = await self._accounts.domain(name)
        if found is None:
            self.note(f"{name} is not received here")
        elif found.alias_of:
            self.note(f"{name} is an alias of {found.alias_of}")
        elif found.catch_all:
            self._catch_alls[name] = found.catch_all
        return found

    async def find(self, address_key: str) -> Account | AliasTargets | MailingList | None:
        found = await self._accounts.find(address_key)
        match found:
            case None:
                catch_all = self._catch_alls.get(address_key.rpartition("@")[2])
                hint = f" (catch_all of the domain: {catch_all})" if catch_all else ""
                self.note(f"{address_key} belongs to nobody{hint}")
            case AliasTargets(targets=targets):
                self.note(f"{address_key} is an alias of {_listed(targets)}")
            case MailingList(members=members):
                self.note(f"{address_key} is a list of {_listed(members)}")
            case Account(login=login) if login != address_key:
                self.note(f"{address_key} is an address of {login}{_forwarding(found)}")
            case Account():
                self.note(f"{address_key} is an account ({', '.join(sorted(found.abilities))}){_forwarding(found)}")
        return found

    async def account(self, account_id: AccountId) -> Account | None:
        return await self._accounts.account(account_id)

    async def quotas(self, account_ids: Collection[AccountId]) -> Mapping[AccountId, int | None]:
        return await self._accounts.quotas(account_ids)

    async def app_password(self, digest: bytes) -> AppPassword | None:
        return await self._accounts.app_password(digest)

    async def is_name_of_one(self, name: str) -> bool:
        return await self._accounts.is_name_of_one(name)

    async def managed_script(self, login: str) -> str | None:
        return await self._accounts.managed_script(login)


def _forwarding(account: Account) -> str:
    if account.forward is None:
        return ""
    return f" that forwards to {_listed(account.forward.targets)}{'' if account.forward.keep else ' and keeps nothing'}"


def _listed(targets: tuple[str, ...]) -> str:
    more = len(targets) - SHOWN_TARGETS
    return ", ".join(targets[:SHOWN_TARGETS]) + (f" and {more} more" if more > 0 else "")
