"""Routes and relays out of a blueprint."""

from dataclasses import replace

import pytest

from mailstack.app.blueprint import Blueprint
from mailstack.app.routing import limits_of, route_table, schedule_of, sending_of, sources_of
from mailstack.model.address import parse_address
from mailstack.model.delivery import HopProtocol, TlsMode
from mailstack.model.errors import Invalid
from mailstack.model.ids import Generation
from mailstack.model.rate import Rate
from mailstack.model.resource import (
    AddressNameBody,
    DestinationBody,
    Kind,
    RelayBody,
    Resource,
    RouteBody,
    RoutesBody,
    SendingBody,
    ServerBody,
    fields_of,
)
from mailstack.model.source import Source
from mailstack.services.outbound.limits import Entry, Limits, LimitTable
from mailstack.services.outbound.route import DIRECT, HOLD, Relay
from mailstack.services.outbound.schedule import Schedule

SES = Resource(kind=Kind.RELAY, name="ses", fields=fields_of(RelayBody(host="ses.example", port=465, tls="implicit")))


def blueprint(*routes: tuple[str, str], secrets: dict[str, str] | None = None) -> Blueprint:
    body = RoutesBody(routes=tuple(RouteBody(to=to, via=via) for to, via in routes))
    table = Resource(kind=Kind.ROUTES, name="routes", fields=fields_of(body))
    found = {Kind.RELAY: {"ses": secrets or {}}}
    return Blueprint(
        generation=Generation(1), postmaster=None, secret_key=b"k" * 32, resources=(SES, table), secrets=found
    )


def test_a_route_leads_through_its_relay_with_the_relays_login() -> None:
    given = blueprint(("*.outlook.com", "ses"), ("*", "direct"), secrets={"username": "u", "password": "p"})
    table = route_table(given, hold_outbound=False)
    way = table.way("mx.outlook.com", sender=None)
    assert isinstance(way, Relay)
    assert (way.name, way.hop.host, way.hop.port, way.hop.tls) == ("ses", "ses.example", 465, TlsMode.IMPLICIT)
    assert way.hop.credentials is not None
    assert way.hop.credentials.password == "p"
    assert table.way("else.example", sender=None) == DIRECT


def test_a_route_of_a_sender_is_for_that_sender_alone() -> None:
    routes = RoutesBody(routes=(RouteBody(from_="news@example.com", to="*", via="ses"),))
    table = Resource(kind=Kind.ROUTES, name="routes", fields=fields_of(routes))
    found = route_table(replace(blueprint(), resources=(SES, table)), hold_outbound=False)
    assert isinstance(found.way("else.example", sender=parse_address("news@example.com")), Relay)
    assert found.way("else.example", sender=parse_address("alice@example.com")) == DIRECT


def test_the_least_tls_is_the_routes_own_or_that_of_all_mail() -> None:
    routes = RoutesBody(
        routes=(RouteBody(to="a.example", via="direct", tls="verified"), RouteBody(to="b.example", via="direct"))
    )
    table = Resource(kind=Kind.ROUTES, name="routes", fields=fields_of(routes))
    sending = Resource(kind=Kind.SENDING, name="sending", fields=fields_of(SendingBody(tls="required")))

    def least(*resources: Resource) -> list[str]:
        found = route_table(replace(blueprint(), resources=(SES, *resources)), hold_outbound=False)
        return [
            route.least.value
            for domain in ("a.example", "b.example", "c.example")
            if (route := found.route(domain, sender=None)) is not None
        ]

    assert least(table, sending) == ["verified", "required", "required"]
    assert least(table) == ["verified", "opportunistic", "opportunistic"]


def test_a_route_picks_what_its_mail_leaves_from() -> None:
    of_news = RouteBody(from_="news@example.com", to="*", via="direct", source=("192.0.2.2",))
    routes = RoutesBody(routes=(of_news, RouteBody(to="*", via="direct")))
    table = Resource(kind=Kind.ROUTES, name="routes", fields=fields_of(routes))
    found = route_table(replace(blueprint(), resources=(table,)), hold_outbound=False)
    assert [route.sources for route in found.routes] == [("192.0.2.2",), ()]


def test_an_address_without_a_name_of_its_own_is_introduced_by_the_host_name() -> None:
    server = ServerBody(
        hostname="mail.example.com",
        addresses=("192.0.2.1", "192.0.2.2"),
        workers=1,
        message_size_bytes=1,
        recipients=1,
        connections_per_ip=1,
        address_names=(AddressNameBody(address="192.0.2.2", name="out.example.com"),),
    )
    assert sources_of(server) == (Source("192.0.2.1", "mail.example.com"), Source("192.0.2.2", "out.example.com"))


def test_a_relay_without_a_login_has_no_credentials() -> None:
    way = route_table(blueprint(("*", "ses")), hold_outbound=False).way("else.example", sender=None)
    assert isinstance(way, Relay)
    assert way.hop.credentials is None


def test_what_is_said_of_a_relay_is_in_its_mark_and_no_password_can_be_read_out_of_it() -> None:
    def mark(given: Blueprint) -> str:
        (relay,) = route_table(given, hold_outbound=False).relays
        return relay.mark

    first = blueprint(("*", "ses"), secrets={"username": "u", "password": "p"})
    same = blueprint(("a.example", "ses"), secrets={"password": "p", "username": "u"})
    other = blueprint(("*", "ses"), secrets={"username": "u", "password": "q"})
    elsewhere = replace(first, secret_key=b"l" * 32)
    assert mark(first) == mark(same)
    assert len({mark(each) for each in (first, other, elsewhere)}) == 3


def test_where_mail_is_held_no_route_leads_anywhere() -> None:
    assert route_table(blueprint(("*", "ses")), hold_outbound=True).way("else.example", sender=None) == HOLD


def test_a_route_through_a_relay_that_is_gone_is_named() -> None:
    with pytest.raises(Invalid, match="goes via gone"):
        route_table(blueprint(("*", "gone")), hold_outbound=False)


def test_mail_is_tried_as_the_spec_says_and_as_ever_where_it_says_nothing() -> None:
    assert schedule_of(sending_of(blueprint())) == Schedule()
    body = SendingBody(schedule_s=(60, 300), lifetime_s=7_200, warn_after_s=None)
    sending = Resource(kind=Kind.SENDING, name="sending", fields=fields_of(body))
    found = schedule_of(sending_of(replace(blueprint(), resources=(sending,))))
    assert found == Schedule(waits_ms=(60_000, 300_000), lifetime_ms=7_200_000, delay_notice_ms=None)


def test_limits_are_those_of_the_spec() -> None:
    named = DestinationBody(name="*.google.com", concurrency=2, rate="20/m")
    assert limits_of(SendingBody(concurrency=9, destinations=(named,))) == LimitTable(
        entries=(Entry("*.google.com", Limits(concurrency=2, rate=Rate(20, "m"))),), rest=Limits(concurrency=9)
    )
    assert limits_of(sending_of(blueprint())) == LimitTable()


def test_a_relay_may_be_where_the_mail_ends() -> None:
    body = RelayBody(host="mailboxes.example", port=24, tls="none", protocol="lmtp")
    relay = Resource(kind=Kind.RELAY, name="inside", fields=fields_of(body))
    routes = fields_of(RoutesBody(routes=(RouteBody(to="*", via="inside"),)))
    table = Resource(kind=Kind.ROUTES, name="routes", fields=routes)
    given = replace(blueprint(), resources=(relay, table), secrets={Kind.RELAY: {"inside": {}}})
    way = route_table(given, hold_outbound=False).way("else.example", sender=None)
    assert isinstance(way, Relay)
    assert (way.hop.protocol, way.hop.port, way.hop.tls) == (HopProtocol.LMTP, 24, TlsMode.NONE)
