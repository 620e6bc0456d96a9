"""Which way mail for an address would go now, and by what of the spec. Asks as an attempt does, and sends nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from mailstack.app.routing import sources_of
from mailstack.app.spec_tests.bed import Bed
from mailstack.model.address import Address
from mailstack.model.delivery import SmtpReply
from mailstack.model.errors import DomainError, TryAgainLater
from mailstack.model.instant import Instant
from mailstack.model.networks import is_this_machine
from mailstack.model.source import Source, candidates
from mailstack.model.warm_up import Stage, WarmDay, stage_of
from mailstack.ports.resolver import HostResolver
from mailstack.ports.warm_days import WarmDays
from mailstack.services.inbound.recipients import resolve
from mailstack.services.outbound.destination import provider_for, route_of
from mailstack.services.outbound.mx import Hosts, best_hosts, exchangers
from mailstack.services.outbound.route import Gradual, Relay, Route


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """Here. accounts: logins of those who have a copy. lists: their addresses. onward: addresses elsewhere. refusal:
    why nobody gets it, "" where somebody does."""

    accounts: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    onward: tuple[str, ...] = ()
    refusal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchanger:
    """preference: None where DNS has none of it: the domain itself, or an address."""

    host: str
    preference: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmingUp:
    """provider: that gets to know us. days: what it said so far."""

    provider: str
    gradual: Gradual
    days: Sequence[WarmDay]

    def stage(self, now: Instant) -> Stage:
        return stage_of(self.gradual.warm_up, self.days, now=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """Elsewhere. index: of the route in the spec, None where none matches. route: None where it depends on DNS, which
    does not say. warming_up: the day of a warm-up. exchangers: in the order in which they are tried, of mail that goes
    direct. sources: what it may leave from. refusal: where there is none to try."""

    index: int | None
    route: Route | None
    warming_up: WarmingUp | None = None
    exchangers: tuple[Exchanger, ...] = ()
    sources: tuple[Source, ...] = ()
    refusal: SmtpReply | None = None


async def way_out(
    bed: Bed, resolver: HostResolver, warm_days: WarmDays, to: Address, *, sender: Address | None, own_host: str
) -> Received | Sent:
    """sender: of the envelope; None for the null path."""
    if not to.domain or await bed.accounts.domain(to.domain) is not None:
        here = await _received(bed, to)
        if here.refusal or not (bed.blueprint.receiving.is_backup and to.domain):
            return here
        return await _to_primary(bed, resolver, to, own_host=own_host)
    try:
        route, index = await route_to(bed, resolver, to.domain, sender=sender)
        warming_up = None
        if isinstance(route.via, Gradual):
            provider = await provider_for(partial(_hosts_of, resolver), to.domain)
            days = await warm_days.of(provider, since=route.via.warm_up.start)
            warming_up = WarmingUp(provider=provider, gradual=route.via, days=days)
    except TryAgainLater as fault:
        return Sent(index=None, route=None, refusal=SmtpReply(code=451, status="4.4.3", text=fault.detail))
    way = Sent(index=index, route=route, warming_up=warming_up, sources=_sources(bed, route))
    if isinstance(route.via, Relay):
        return way
    found = await exchangers(resolver, to.domain, own_host=own_host, token=lambda _size: b"")
    return replace(way, refusal=found) if isinstance(found, SmtpReply) else replace(way, exchangers=_exchangers(found))


def _sources(bed: Bed, route: Route) -> tuple[Source, ...]:
    server = bed.blueprint.server
    if server is None or (isinstance(route.via, Relay) and is_this_machine(route.via.hop.host)):
        return ()
    return candidates(sources_of(server), route.sources)


async def route_to(
    bed: Bed, resolver: HostResolver, domain: str, *, sender: Address | None
) -> tuple[Route, int | None]:
    """With its index in the spec, None for what matches none. Raises TryAgainLater."""
    route = await route_of(bed.routes, partial(_hosts_of, resolver), domain, sender=sender)
    return route, bed.routes.routes.index(route) if route in bed.routes.routes else None


async def _hosts_of(resolver: HostResolver, domain: str) -> Sequence[str]:
    return best_hosts(domain, (await resolver.exchangers_answer(domain)).values)


async def _to_primary(bed: Bed, resolver: HostResolver, to: Address, *, own_host: str) -> Sent:
    """Of a backup mail exchanger."""
    found = await exchangers(resolver, to.domain, own_host=own_host, token=lambda _size: b"")
    if isinstance(found, SmtpReply):
        return Sent(index=None, route=bed.routes.rest, refusal=found)
    return Sent(index=None, route=bed.routes.rest, exchangers=_exchangers(found))


async def _received(bed: Bed, to: Address) -> Received:
    try:
        found = await resolve(bed.accounts, to, postmaster=bed.blueprint.postmaster)
    except DomainError as fault:
        return Received(refusal=fault.detail)
    onward = (*found.external, *(target for each in found.onward for target in each.targets))
    return Received(
        accounts=tuple(account.login for account in found.accounts),
        lists=tuple(each.mailing_list.address for each in found.lists),
        onward=tuple(dict.fromkeys(onward)),
    )


def _exchangers(found: Hosts) -> tuple[Exchanger, ...]:
    preferences = {each.host: each.preference for each in found.found.values} if found.found else {}
    return tuple(Exchanger(host=name, preference=preferences.get(name)) for name in found.names)
