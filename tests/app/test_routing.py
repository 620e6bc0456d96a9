"""Routes and relays out of a blueprint."""

import pytest

from mailstack.app.blueprint import Blueprint
from mailstack.app.routing import route_table
from mailstack.model.delivery import TlsMode
from mailstack.model.errors import Invalid
from mailstack.model.ids import Generation
from mailstack.model.resource import Kind, RelayBody, Resource, RouteBody, RoutesBody, fields_of
from mailstack.services.outbound.route import DIRECT, HOLD, Relay

SES = Resource(kind=Kind.RELAY, name="ses", fields=fields_of(RelayBody(host="ses.example", port=465, tls="implicit")))


def blueprint(*routes: tuple[str, str], secrets: dict[str, str] | None = None) -> Blueprint:
    body = RoutesBody(routes=tuple(RouteBody(to=to, via=via) for to, via in routes))
    table = Resource(kind=Kind.ROUTES, name="routes", fields=fields_of(body))
    found = {Kind.RELAY: {"ses": secrets or {}}}
    return Blueprint(generation=Generation(1), postmaster=None, resources=(SES, table), secrets=found)


def test_a_route_leads_through_its_relay_with_the_relays_login() -> None:
    given = blueprint(("*.outlook.com", "ses"), ("*", "direct"), secrets={"username": "u", "password": "p"})
    table = route_table(given, hold_outbound=False)
    way = table.way("mx.outlook.com")
    assert isinstance(way, Relay)
    assert (way.name, way.hop.host, way.hop.port, way.hop.tls) == ("ses", "ses.example", 465, TlsMode.IMPLICIT)
    assert way.hop.credentials is not None
    assert way.hop.credentials.password == "p"
    assert table.way("else.example") == DIRECT


def test_a_relay_without_a_login_has_no_credentials() -> None:
    way = route_table(blueprint(("*", "ses")), hold_outbound=False).way("else.example")
    assert isinstance(way, Relay)
    assert way.hop.credentials is None


def test_where_mail_is_held_no_route_leads_anywhere() -> None:
    assert route_table(blueprint(("*", "ses")), hold_outbound=True).way("else.example") == HOLD


def test_a_route_through_a_relay_that_is_gone_is_named() -> None:
    with pytest.raises(Invalid, match="goes via gone"):
        route_table(blueprint(("*", "gone")), hold_outbound=False)
