"""Accounts and domains as values, for directories that a test fills."""

from hashlib import sha256

from mailstack.model.ids import AccountId
from mailstack.model.principal import ALL_ABILITIES, Ability, Account, Domain, Forward, Role


def make_account(
    login: str,
    *,
    addresses: tuple[str, ...] = (),
    abilities: frozenset[Ability] = ALL_ABILITIES,
    quota_bytes: int | None = None,
    password_hash: str = "",
    roles: frozenset[Role] = frozenset(),
    forward: Forward | None = None,
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
        forward=forward,
    )


def make_domain(
    name: str, *, catch_all: str | None = None, subaddress_separators: str = "+", alias_of: str | None = None
) -> Domain:
    return Domain(name=name, catch_all=catch_all, subaddress_separators=subaddress_separators, alias_of=alias_of)
