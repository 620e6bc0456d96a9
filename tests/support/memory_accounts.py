"""The directory in memory: a dictionary of addresses."""

from collections.abc import Iterable, Mapping
from hashlib import sha256

from mailstack.model.ids import AccountId
from mailstack.model.principal import ALL_ABILITIES, Ability, Account, AliasTargets, Domain, Role


class MemoryAccounts:
    """Works as ports.accounts.Accounts. Tests change `owners` and `domains` as they please."""

    def __init__(
        self,
        accounts: Iterable[Account] = (),
        *,
        aliases: Mapping[str, tuple[str, ...]] | None = None,
        domains: Iterable[Domain] = (),
    ) -> None:
        self.domains = {domain.name: domain for domain in domains}
        self.owners: dict[str, Account | AliasTargets] = {}
        for account in accounts:
            self.put(account)
        for name, targets in (aliases or {}).items():
            self.owners[name] = AliasTargets(targets=targets)

    def put(self, account: Account) -> None:
        for key in (account.login, *account.addresses):
            self.owners[key] = account

    async def domain(self, name: str) -> Domain | None:
        return self.domains.get(name)

    async def find(self, address_key: str) -> Account | AliasTargets | None:
        return self.owners.get(address_key)

    async def account(self, account_id: AccountId) -> Account | None:
        for owner in self.owners.values():
            if isinstance(owner, Account) and owner.account_id == account_id:
                return owner
        return None


def make_account(
    login: str,
    *,
    addresses: tuple[str, ...] = (),
    abilities: frozenset[Ability] = ALL_ABILITIES,
    quota_bytes: int | None = None,
    password_hash: str = "",
    roles: frozenset[Role] = frozenset(),
) -> Account:
    """account_id follows from the login."""
    return Account(
        account_id=AccountId(sha256(login.encode()).hexdigest()[:16]),
        login=login,
        name=login.partition("@")[0].title(),
        addresses=addresses,
        roles=roles,
        abilities=abilities,
        quota_bytes=quota_bytes,
        password_hash=password_hash,
    )


def make_domain(
    name: str, *, catch_all: str | None = None, subaddress_separators: str = "+", alias_of: str | None = None
) -> Domain:
    return Domain(name=name, catch_all=catch_all, subaddress_separators=subaddress_separators, alias_of=alias_of)
