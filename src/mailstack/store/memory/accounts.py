"""The directory in memory: dictionaries of addresses and domains."""

from collections.abc import Collection, Iterable, Mapping

from mailstack.model.app_password import AppPassword
from mailstack.model.errors import Conflict
from mailstack.model.ids import AccountId
from mailstack.model.principal import Account, AliasTargets, Domain, MailingList

Owner = Account | AliasTargets | MailingList


class MemoryAccounts:
    """Works as ports.accounts.Accounts. owners: by address key; domains: by name; scripts: by login; app_passwords: by
    digest."""

    def __init__(
        self,
        accounts: Iterable[Account] = (),
        *,
        aliases: Mapping[str, tuple[str, ...]] | None = None,
        lists: Iterable[MailingList] = (),
        domains: Iterable[Domain] = (),
        scripts: Mapping[str, str] | None = None,
    ) -> None:
        self.scripts: dict[str, str] = dict(scripts or {})
        self.domains: dict[str, Domain] = {domain.name: domain for domain in domains}
        self.owners: dict[str, Owner] = {}
        self.app_passwords: dict[bytes, AppPassword] = {}
        self._by_id: dict[AccountId, Account] = {}
        for account in accounts:
            self.put(account)
        for name, targets in (aliases or {}).items():
            self.owners[name] = AliasTargets(targets=targets)
        self.owners.update((each.address, each) for each in lists)

    def put(self, account: Account) -> None:
        self._by_id[account.account_id] = account
        for key in account.address_keys:
            self.owners[key] = account

    def become(
        self,
        accounts: Iterable[Account],
        aliases: Mapping[str, AliasTargets],
        lists: Iterable[MailingList],
        domains: Iterable[Domain],
        scripts: Mapping[str, str],
    ) -> None:
        """Holds these and nothing else. Raises Conflict for an address with two owners, and is then as it was."""
        by_id = {account.account_id: account for account in accounts}
        owners: dict[str, Owner] = dict(aliases)
        for each in lists:
            if each.address in owners:
                raise Conflict(f"{each.address} has two owners")
            owners[each.address] = each
        for account in by_id.values():
            for key in dict.fromkeys(account.address_keys):
                if key in owners:
                    raise Conflict(f"{key} has two owners")
                owners[key] = account
        self._by_id, self.owners = by_id, owners
        self.domains = {domain.name: domain for domain in domains}
        self.scripts = dict(scripts)

    def accounts(self) -> Iterable[Account]:
        return tuple(self._by_id.values())

    async def domain(self, name: str) -> Domain | None:
        return self.domains.get(name)

    async def find(self, address_key: str) -> Owner | None:
        return self.owners.get(address_key)

    async def account(self, account_id: AccountId) -> Account | None:
        return self._by_id.get(account_id)

    async def quotas(self, account_ids: Collection[AccountId]) -> Mapping[AccountId, int | None]:
        return {each: self._by_id[each].quota_bytes for each in account_ids if each in self._by_id}

    async def app_password(self, digest: bytes) -> AppPassword | None:
        return self.app_passwords.get(digest)

    async def is_name_of_one(self, name: str) -> bool:
        return any(account.name == name for account in self._by_id.values())

    async def managed_script(self, login: str) -> str | None:
        return self.scripts.get(login)
