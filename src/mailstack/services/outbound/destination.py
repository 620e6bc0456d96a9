"""Where one queued recipient goes now: a mailbox of ours, a relay, the domain's exchangers, or nowhere yet.

Asked at each attempt, so that a route or a domain that changed counts for mail that waits.
"""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass

from mailstack.model.address import Address
from mailstack.model.delivery import NULL_PATH, SmtpReply
from mailstack.model.errors import Invalid, TryAgainLater
from mailstack.model.tls_policy import LeastTls
from mailstack.model.warm_up import provider_of
from mailstack.ports.accounts import Accounts
from mailstack.services.outbound.route import Direct, GoesDirect, Gradual, Hold, Relay, Route, RouteTable
from mailstack.services.outbound.sender import forward_address


@dataclass(frozen=True, slots=True)
class Local:
    """The domain is received here."""


@dataclass(frozen=True, slots=True)
class Nowhere:
    """No address at all."""

    detail: str


@dataclass(frozen=True, slots=True)
class Suppressed:
    """Nothing is sent there for now: suppression.py."""

    reply: SmtpReply


@dataclass(frozen=True, slots=True)
class Unknown:
    """It depends on DNS, which cannot say for now: another route than the one that is meant would be a wrong one."""

    detail: str


@dataclass(frozen=True, slots=True)
class ToRelay:
    """sources: as of Route."""

    relay: Relay
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ToDomain:
    """least: as of Route. is_ours: we are a backup of it, and what it takes to reach the primary is for us to mend.
    warming: the provider that is getting to know us by it, "" for none. sources: as of Route."""

    domain: str
    least: LeastTls = LeastTls.OPPORTUNISTIC
    is_ours: bool = False
    warming: str = ""
    sources: tuple[str, ...] = ()


Destination = Local | Nowhere | Suppressed | Unknown | ToRelay | ToDomain | Hold


def is_elsewhere(way: Destination) -> bool:
    """Whether it goes to others than us: our primary is not one of them."""
    return isinstance(way, ToRelay) or (isinstance(way, ToDomain) and not way.is_ours)


HostsOf = Callable[[str], Awaitable[Collection[str]]]
"""As mx.best_hosts has them, of a domain. Raises TryAgainLater."""


async def destination(
    accounts: Accounts,
    routes: RouteTable,
    hosts_of: HostsOf,
    recipient: str,
    *,
    reverse_path: str,
    goes_direct: GoesDirect,
    is_backup: bool = False,
) -> Destination:
    """hosts_of: asked only where it depends on them. Raises DomainError where the directory or goes_direct does."""
    try:
        address = forward_address(recipient)
    except Invalid as fault:
        return Nowhere(fault.detail)
    is_ours = not address.domain or await accounts.domain(address.domain) is not None
    if is_ours and not (is_backup and address.domain):
        return Local()
    sender = _sender(reverse_path)
    if is_ours:
        # A relay would look for the domain's exchangers too, and find the backup. What holds all mail holds this.
        way = routes.way(address.domain, sender=sender)
        return way if isinstance(way, Hold) else ToDomain(address.domain, routes.rest.least, is_ours=True)
    try:
        route = await route_of(routes, hosts_of, address.domain, sender=sender)
        way = route.via
        provider = await provider_for(hosts_of, address.domain) if isinstance(way, Gradual) else ""
    except TryAgainLater as fault:
        return Unknown(fault.detail)
    match way:
        case Relay() as relay:
            return ToRelay(relay, route.sources)
        case Gradual(meanwhile=relay) as gradual:
            if await goes_direct(gradual, provider):
                return ToDomain(address.domain, route.least, warming=provider, sources=route.sources)
            return ToRelay(relay, route.sources)
        case Hold() as hold:
            return hold
        case Direct():
            return ToDomain(address.domain, route.least, sources=route.sources)


async def route_of(routes: RouteTable, hosts_of: HostsOf, domain: str, *, sender: Address | None) -> Route:
    """DNS is asked only where it depends on it. Raises TryAgainLater."""
    found = routes.route(domain, sender=sender)
    if found is None:
        found = routes.route(domain, sender=sender, hosts=await _hosts(hosts_of, domain))
    return found or routes.rest


async def _hosts(hosts_of: HostsOf, domain: str) -> Collection[str]:
    return () if domain.startswith("[") else await hosts_of(domain)  # RFC 5321 §4.1.3: a literal is a host itself


async def provider_for(hosts_of: HostsOf, domain: str) -> str:
    """Whom a warm-up for that domain is about. Raises TryAgainLater."""
    hosts = await _hosts(hosts_of, domain)
    return provider_of(min(hosts)) if hosts else domain


def _sender(reverse_path: str) -> Address | None:
    """None too for a path that is no address: no route names it."""
    try:
        return None if reverse_path == NULL_PATH else forward_address(reverse_path)
    except Invalid:
        return None
