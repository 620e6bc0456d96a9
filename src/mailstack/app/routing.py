"""The routes, relays, schedule and limits of a blueprint, as the queue asks which way a mail leaves, how fast, and when
again."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime

from mailstack.app.blueprint import Blueprint
from mailstack.model.bad_address import SuppressRule
from mailstack.model.delivery import Credentials, HopProtocol, NextHop, TlsMode
from mailstack.model.errors import Invalid
from mailstack.model.instant import SECOND_MS, from_datetime
from mailstack.model.rate import Rate
from mailstack.model.resource import Kind, RelayBody, RouteBody, RoutesBody, SendingBody, ServerBody, WarmUpBody
from mailstack.model.source import Source
from mailstack.model.tls_policy import LeastTls
from mailstack.model.warm_up import WarmUp
from mailstack.services.outbound.limits import Entry, Limits, LimitTable
from mailstack.services.outbound.route import DIRECT, HOLD, Gradual, Relay, Route, RouteTable, Way
from mailstack.services.outbound.schedule import Schedule

DIRECT_NAME = "direct"
MARK_BYTES = 8


def route_table(blueprint: Blueprint, *, hold_outbound: bool) -> RouteTable:
    """hold_outbound: nothing leaves. Raises Invalid for a route through a relay that is not there."""
    if hold_outbound:
        return RouteTable((Route(to="*", via=HOLD),))
    relays = {name: _relay(blueprint, name, body) for name, body in blueprint.bodies(RelayBody).items()}
    least = LeastTls(sending_of(blueprint).tls or LeastTls.OPPORTUNISTIC)
    found: list[Route] = []
    for body in blueprint.bodies(RoutesBody).values():
        for route in body.routes:
            of_route = least if route.tls is None else LeastTls(route.tls)
            found.append(
                Route(
                    to=route.to,
                    via=_way(route, relays),
                    least=of_route,
                    sender=route.from_,
                    mx=route.mx,
                    sources=route.source or (),
                )
            )
    return RouteTable(tuple(found), rest=Route(to="*", via=DIRECT, least=least))


def _way(route: RouteBody, relays: Mapping[str, Relay]) -> Way:
    name = route.via if route.warmup is None else route.warmup.meanwhile
    if name == DIRECT_NAME:
        return DIRECT
    if name not in relays:
        raise Invalid(f"the route to {route.to} goes via {name}, which is no relay")
    return relays[name] if route.warmup is None else Gradual(warm_up=warm_up_of(route.warmup), meanwhile=relays[name])


def warm_up_of(body: WarmUpBody) -> WarmUp:
    start = datetime.fromisoformat(body.start).replace(tzinfo=UTC)
    return WarmUp(start=from_datetime(start), days=body.days)


def sources_of(server: ServerBody) -> tuple[Source, ...]:
    """What mail may leave from."""
    names = {each.address: each.name for each in server.address_names}
    return tuple(Source(address, names.get(address, server.hostname)) for address in server.addresses)


def schedule_of(body: SendingBody) -> Schedule:
    return Schedule(
        waits_ms=tuple(wait_s * SECOND_MS for wait_s in body.schedule_s),
        lifetime_ms=body.lifetime_s * SECOND_MS,
        delay_notice_ms=None if body.warn_after_s is None else body.warn_after_s * SECOND_MS,
    )


def suppress_rule_of(body: SendingBody) -> SuppressRule | None:
    suppress = body.suppress
    return None if suppress is None else SuppressRule(after=suppress.after, for_ms=suppress.for_s * SECOND_MS)


def limits_of(body: SendingBody) -> LimitTable:
    entries = [
        Entry(each.name, Limits(concurrency=each.concurrency, rate=_rate(each.rate)))
        for each in body.destinations or ()
    ]
    return LimitTable(entries=tuple(entries), rest=Limits(concurrency=body.concurrency, rate=_rate(body.rate)))


def _rate(text: str | None) -> Rate | None:
    if text is None:
        return None
    count, _, span = text.partition("/")
    return Rate(int(count), span)


def sending_of(blueprint: Blueprint) -> SendingBody:
    return next(iter(blueprint.bodies(SendingBody).values()), SendingBody())


def _relay(blueprint: Blueprint, name: str, body: RelayBody) -> Relay:
    secrets = blueprint.secrets_of(Kind.RELAY, name)
    credentials = None
    if "username" in secrets:
        credentials = Credentials(username=secrets["username"], password=secrets["password"])
    hop = NextHop(
        host=body.host or "localhost",
        port=body.port or 0,
        socket=body.socket or "",
        tls=TlsMode(body.tls),
        credentials=credentials,
        protocol=HopProtocol.SMTP if body.protocol is None else HopProtocol(body.protocol),
    )
    return Relay(name=name, hop=hop, mark=_mark(blueprint, name, body))


def _mark(blueprint: Blueprint, name: str, body: RelayBody) -> str:
    """With a key, for a password must not be guessed by it."""
    said = repr((name, body, sorted(blueprint.secrets_of(Kind.RELAY, name).items())))
    return hashlib.blake2b(said.encode(), key=blueprint.key_for("relays"), digest_size=MARK_BYTES).hexdigest()
