"""From the address in RCPT TO to the accounts and outside addresses that receive: the directory's rules, in one place.

In this order: the exact address, the one without its detail (subaddress), the catch-all of the domain. A domain alias
is replaced by its target first. Whoever may submit to strangers is submission's question; here, what is not ours is
refused. RFC 5321 §3.6.2, §4.5.1, RFC 5233.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from mailstack.model.address import Address, parse_address
from mailstack.model.errors import Forbidden, Invalid, NotFound
from mailstack.model.handling import UNASKED, Notification
from mailstack.model.principal import Ability, Account, AliasTargets, Domain
from mailstack.ports.accounts import Accounts

MAX_ALIAS_DEPTH = 16
MAX_RESOLVED = 1_000
"""Addresses that one RCPT may fan out to; the spec refuses loops, and a live directory may still grow one."""

POSTMASTER = "postmaster"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """No account and no address twice. external: address keys that an alias sends outside."""

    accounts: tuple[Account, ...]
    external: tuple[str, ...]


async def resolve(accounts: Accounts, address: Address, *, postmaster: str | None = None) -> Resolution:
    """postmaster: the address key that gets mail for a postmaster nobody declared; None: such mail is refused.
    An address without a domain is `RCPT TO:<Postmaster>`.

    Raises NotFound for an unknown address of ours, Forbidden for one that is not ours or takes no mail.
    """
    walk = _Walk(accounts, postmaster)
    if not address.domain:
        await walk.bare_postmaster()
    else:
        # RFC 5321 §4.1.3: an address literal names a machine, and mailboxes here belong to domains.
        domain = None if address.domain.startswith("[") else await accounts.domain(address.domain)
        if domain is None:
            raise Forbidden(f"{address.domain} is not received here")
        await walk.local(address, domain, 0)
    if not walk.accounts and not walk.external:
        raise walk.refusal
    return walk.resolution()


def merge(resolutions: Iterable[Resolution]) -> Resolution:
    """Of all recipients of one mail: whoever is reached by two of them gets it once."""
    owners: dict[str, Account] = {}
    outside: dict[str, None] = {}
    for resolution in resolutions:
        owners.update((account.account_id, account) for account in resolution.accounts)
        outside.update(dict.fromkeys(resolution.external))
    return Resolution(accounts=tuple(owners.values()), external=tuple(outside))


def by_target(asked: Iterable[tuple[Notification, Resolution]]) -> dict[str, Notification]:
    """What was asked of a recipient is asked of all that stand behind the address; who is reached twice, has the first.

    RFC 3461 §5.2.7.1.
    """
    found: dict[str, Notification] = {}
    for notification, resolution in asked:
        if notification != UNASKED:
            for target in (*(account.login for account in resolution.accounts), *resolution.external):
                found.setdefault(target, notification)
    return found


class _Walk:
    """One fan-out. What one branch of an alias refuses does not keep the others from receiving."""

    def __init__(self, directory: Accounts, postmaster: str | None) -> None:
        self._directory = directory
        self._postmaster = AliasTargets(targets=(postmaster,)) if postmaster else None
        self._seen: set[str] = set()
        self.accounts: dict[str, Account] = {}
        self.external: dict[str, None] = {}
        self.refusal: NotFound | Forbidden = NotFound("no such address")

    def resolution(self) -> Resolution:
        return Resolution(accounts=tuple(self.accounts.values()), external=tuple(self.external))

    async def bare_postmaster(self) -> None:
        if self._postmaster:
            await self._fan_out(self._postmaster, 0)

    async def local(self, address: Address, domain: Domain, depth: int) -> None:
        owner = await self._owner(address, domain)
        match owner:
            case None:
                self.refusal = NotFound(f"{address.key} is unknown")
            case AliasTargets():
                await self._fan_out(owner, depth)
            case Account() if Ability.RECEIVE in owner.abilities:
                self.accounts[owner.account_id] = owner
            case Account():
                self.refusal = Forbidden(f"{owner.login} takes no mail")

    async def _owner(self, address: Address, domain: Domain) -> Account | AliasTargets | None:
        if domain.alias_of is not None:
            target = await self._directory.domain(domain.alias_of)
            if target is None:
                return None
            domain, address = target, Address(local_part=address.local_part, domain=target.name)
        for key in _candidates(address, domain):
            found = await self._directory.find(key)
            if found is not None:
                return found
        if domain.catch_all:
            return AliasTargets(targets=(domain.catch_all,))
        # RFC 5321 §4.5.1: every domain that is received has a postmaster; undeclared ones are an admin's.
        return self._postmaster if address.local_part.casefold() == POSTMASTER else None

    async def _fan_out(self, alias: AliasTargets, depth: int) -> None:
        for target in alias.targets:
            if target in self._seen:
                continue
            self._seen.add(target)
            if depth >= MAX_ALIAS_DEPTH or len(self._seen) > MAX_RESOLVED:
                self.refusal = Forbidden("an alias fans out too far")
                return
            await self._target(target, depth + 1)

    async def _target(self, target: str, depth: int) -> None:
        try:
            address = parse_address(target)
        except Invalid:
            return
        domain = None if address.domain.startswith("[") else await self._directory.domain(address.domain)
        if domain is None:
            self.external[address.key] = None
        else:
            await self.local(address, domain, depth)


def _candidates(address: Address, domain: Domain) -> list[str]:
    """RFC 5233 §4: the detail follows the first separator; a local part that starts with one has no detail."""
    keys = [address.key]
    for separator in domain.subaddress_separators:
        user, found, _ = address.local_part.partition(separator)
        if found and user:
            keys.append(Address(local_part=user, domain=address.domain).key)
    return keys
