"""From the address in RCPT TO to the accounts and outside addresses that receive: the directory's rules, in one place.

In this order: the exact address, a further address of a list, the one without its detail (subaddress), the catch-all of
the domain. A domain alias
is replaced by its target first. Whoever may submit to strangers is submission's question; here, what is not ours is
refused. RFC 5321 §3.6.2, §4.5.1, RFC 5233.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from mailstack.model.address import Address, parse_address
from mailstack.model.errors import Forbidden, Invalid, NotFound
from mailstack.model.handling import UNASKED, Notification
from mailstack.model.ids import AccountId
from mailstack.model.principal import Ability, Account, AliasTargets, Domain, MailingList
from mailstack.ports.accounts import Accounts
from mailstack.services.lists.names import OF_OWNERS, AtList, Purpose, owners_of, purpose_of

MAX_ALIAS_DEPTH = 16
MAX_RESOLVED = 1_000
"""Addresses that one RCPT may fan out to; beyond, it is refused, for whoever was left out would never know."""

POSTMASTER = "postmaster"


@dataclass(frozen=True, slots=True, kw_only=True)
class Onward:
    """From an address of ours to others elsewhere. address: the key of the alias or account that sends on. targets:
    address keys. owner: the account that gets what may not go on; None for an alias, and where it has a copy anyway."""

    address: str
    targets: tuple[str, ...]
    owner: Account | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """No account and no address twice. external: paths outside that mail goes to as it came, not by way of an address
    of ours. lists: those of whose addresses one was meant."""

    accounts: tuple[Account, ...] = ()
    external: tuple[str, ...] = ()
    onward: tuple[Onward, ...] = ()
    lists: tuple[AtList, ...] = ()

    @property
    def goes_on(self) -> bool:
        return bool(self.external or self.onward)

    @property
    def expands(self) -> bool:
        """Does one address stand for several, of which some are elsewhere. RFC 3464 §2.3.3."""
        beyond = len(self.external) + sum(len(onward.targets) for onward in self.onward)
        return beyond > 0 and beyond + len(self.accounts) > 1

    @property
    def leaves(self) -> bool:
        """Or may: who is behind a list is found out when it is posted to."""
        return self.goes_on or any(each.purpose is Purpose.POST for each in self.lists)


async def resolve(
    accounts: Accounts, address: Address, *, postmaster: str | None = None, passed: Collection[str] = ()
) -> Resolution:
    """postmaster: the address key that gets mail for a postmaster nobody declared; None: such mail is refused. passed:
    address keys that the mail has been sent on from already, and is not once more. An address without a domain is
    `RCPT TO:<Postmaster>`.

    Raises NotFound for an unknown address of ours, Forbidden for one that is not ours or takes no mail.
    """
    walk = _Walk(accounts, postmaster, passed)
    if not address.domain:
        await walk.bare_postmaster()
    else:
        # RFC 5321 §4.1.3: an address literal names a machine, and mailboxes here belong to domains.
        domain = None if address.domain.startswith("[") else await accounts.domain(address.domain)
        if domain is None:
            raise Forbidden(f"{address.domain} is not received here")
        await walk.local(address, domain, 0)
    if not walk.accounts and not walk.onward and not walk.lists:
        raise walk.refusal
    return walk.resolution()


def merge(resolutions: Iterable[Resolution]) -> Resolution:
    """Of all recipients of one mail: whoever is reached by two of them gets it once."""
    owners: dict[str, Account] = {}
    outside: dict[str, None] = {}
    sources: dict[str, _Source] = {}
    lists: dict[AtList, None] = {}
    for resolution in resolutions:
        lists.update(dict.fromkeys(resolution.lists))
        owners.update((account.account_id, account) for account in resolution.accounts)
        outside.update(dict.fromkeys(resolution.external))
        for onward in resolution.onward:
            for target in onward.targets:
                sources.setdefault(target, _Source(onward.address, onward.owner))
    sources = {target: source for target, source in sources.items() if target not in outside}
    return Resolution(
        accounts=tuple(owners.values()),
        external=tuple(outside),
        onward=_by_source(sources),
        lists=tuple(lists),
    )


def by_target(asked: Iterable[tuple[Notification, Resolution]]) -> dict[str, Notification]:
    """What was asked of a recipient is asked of all that stand behind the address; who is reached twice, has the first.
    That one became several is told once (success.py), and then of no success of each.

    RFC 3461 §5.2.7.2, §5.2.7.3.
    """
    found: dict[str, Notification] = {}
    for wished, resolution in asked:
        notification = wished.without_success() if resolution.expands else wished
        if notification != UNASKED:
            logins = (account.login for account in resolution.accounts)
            beyond = (target for onward in resolution.onward for target in onward.targets)
            for target in (*logins, *resolution.external, *beyond):
                found.setdefault(target, notification)
    return found


def own_paths(addressed: Iterable[tuple[str, Resolution]]) -> dict[AccountId, str]:
    """By account, the path that meant it alone. Where several are behind one address, nobody's filter is shown who the
    others are, nor does anybody answer for it."""
    found: dict[AccountId, str] = {}
    for path, resolution in addressed:
        if len(resolution.accounts) == 1 and not resolution.leaves:
            found.setdefault(resolution.accounts[0].account_id, path)
    return found


class _Source(NamedTuple):
    """Of targets: as in Onward."""

    address: str
    owner: Account | None = None


class _Walk:
    """One fan-out. What one branch of an alias refuses does not keep the others from receiving."""

    def __init__(self, directory: Accounts, postmaster: str | None, passed: Collection[str]) -> None:
        self._directory = directory
        self._passed = passed
        self._postmaster = AliasTargets(targets=(postmaster,)) if postmaster else None
        self._seen: set[str] = set()
        self.accounts: dict[str, Account] = {}
        self.onward: dict[str, _Source] = {}
        self.lists: dict[AtList, None] = {}
        self.refusal: NotFound | Forbidden = NotFound("no such address")

    def resolution(self) -> Resolution:
        return Resolution(
            accounts=tuple(self.accounts.values()), onward=_by_source(self.onward), lists=tuple(self.lists)
        )

    async def bare_postmaster(self) -> None:
        if self._postmaster:
            await self._fan_out(_Source(POSTMASTER), self._postmaster.targets, 0)

    async def local(self, address: Address, domain: Domain, depth: int) -> None:
        found = await self._owner(address, domain)
        if found is None:
            self.refusal = NotFound(f"{address.key} is unknown")
            return
        key, owner = found
        match owner:
            case AliasTargets():
                await self._fan_out(_Source(key), owner.targets, depth)
            case MailingList():
                self.lists[AtList(mailing_list=owner, purpose=Purpose.POST)] = None
            case AtList():
                await self._at_list(key, owner, depth)
            case Account() if Ability.RECEIVE in owner.abilities:
                await self._account(owner, depth)
            case Account():
                self.refusal = Forbidden(f"{owner.login} takes no mail")

    async def _account(self, account: Account, depth: int) -> None:
        forward = account.forward
        if forward is None or forward.keep or account.login in self._passed:
            self.accounts[account.account_id] = account
        if forward is not None and account.login not in self._passed:
            source = _Source(account.login, None if forward.keep else account)
            await self._fan_out(source, forward.targets, depth)

    async def _at_list(self, key: str, at: AtList, depth: int) -> None:
        if at.purpose in OF_OWNERS:
            await self._fan_out(_Source(key), owners_of(at.mailing_list), depth)
        if at.purpose in (Purpose.BOUNCES, Purpose.UNSUBSCRIBE):
            self.lists[at] = None

    async def _owner(
        self, address: Address, domain: Domain
    ) -> tuple[str, Account | AliasTargets | MailingList | AtList] | None:
        """And the address key under which it was found."""
        if domain.alias_of is not None:
            target = await self._directory.domain(domain.alias_of)
            if target is None:
                return None
            domain, address = target, Address(local_part=address.local_part, domain=target.name)
        exact, *without_detail = _candidates(address, domain)
        found: Account | AliasTargets | MailingList | AtList | None = await self._directory.find(exact)
        # Before its detail is taken off, for a hyphen may be what separates it.
        if found is None:
            found = await self._list_behind(address)
        if found is not None:
            return exact, found
        for key in without_detail:
            found = await self._directory.find(key)
            if found is not None:
                return key, found
        if domain.catch_all:
            return address.key, AliasTargets(targets=(domain.catch_all,))
        # RFC 5321 §4.5.1: every domain that is received has a postmaster; undeclared ones are an admin's.
        if self._postmaster and address.local_part.casefold() == POSTMASTER:
            return address.key, self._postmaster
        return None

    async def _list_behind(self, address: Address) -> AtList | None:
        named = purpose_of(address)
        owner = None if named is None else await self._directory.find(named[0])
        if named is None or not isinstance(owner, MailingList):
            return None
        if named[1] is Purpose.UNSUBSCRIBE and not owner.has_unsubscribe:
            return None
        return AtList(mailing_list=owner, purpose=named[1], detail=named[2])

    async def _fan_out(self, source: _Source, targets: Iterable[str], depth: int) -> None:
        for target in targets:
            if target in self._seen:
                continue
            self._seen.add(target)
            if depth >= MAX_ALIAS_DEPTH or len(self._seen) > MAX_RESOLVED:
                raise Forbidden(f"{source.address} fans out too far")
            await self._target(source, target, depth + 1)

    async def _target(self, source: _Source, target: str, depth: int) -> None:
        try:
            address = parse_address(target)
        except Invalid:
            return
        domain = None if address.domain.startswith("[") else await self._directory.domain(address.domain)
        if domain is not None:
            await self.local(address, domain, depth)
        elif source.address in self._passed:
            self.refusal = Forbidden(f"{source.address} has sent it on before")
        else:
            self.onward.setdefault(address.key, source)


def _by_source(sources: Mapping[str, _Source]) -> tuple[Onward, ...]:
    """sources: by target."""
    targets: dict[str, list[str]] = {}
    owners: dict[str, Account | None] = {}
    for target, source in sources.items():
        targets.setdefault(source.address, []).append(target)
        owners[source.address] = source.owner
    return tuple(
        Onward(address=address, targets=tuple(found), owner=owners[address]) for address, found in targets.items()
    )


def _candidates(address: Address, domain: Domain) -> list[str]:
    """RFC 5233 §4: the detail follows the first separator; a local part that starts with one has no detail."""
    keys = [address.key]
    for separator in domain.subaddress_separators:
        user, found, _ = address.local_part.partition(separator)
        if found and user:
            keys.append(Address(local_part=user, domain=address.domain).key)
    return keys
