"""The routes and relays of a blueprint, as the queue asks them which way a mail leaves."""

from mailstack.app.blueprint import Blueprint
from mailstack.model.delivery import Credentials, NextHop, TlsMode
from mailstack.model.errors import Invalid
from mailstack.model.resource import Kind, RelayBody, RoutesBody
from mailstack.services.outbound.route import DIRECT, HOLD, Relay, Route, RouteTable

DIRECT_NAME = "direct"


def route_table(blueprint: Blueprint, *, hold_outbound: bool) -> RouteTable:
    """hold_outbound: nothing leaves. Raises Invalid for a route through a relay that is not there."""
    if hold_outbound:
        return RouteTable((Route(to="*", via=HOLD),))
    relays = {name: _relay(blueprint, name, body) for name, body in blueprint.bodies(RelayBody).items()}
    found: list[Route] = []
    for body in blueprint.bodies(RoutesBody).values():
        for route in body.routes:
            if route.via != DIRECT_NAME and route.via not in relays:
                raise Invalid(f"the route to {route.to} goes via {route.via}, which is no relay")
            found.append(Route(to=route.to, via=relays.get(route.via, DIRECT)))
    return RouteTable(tuple(found))


def _relay(blueprint: Blueprint, name: str, body: RelayBody) -> Relay:
    secrets = blueprint.secrets_of(Kind.RELAY, name)
    credentials = None
    if "username" in secrets:
        credentials = Credentials(username=secrets["username"], password=secrets["password"])
    return Relay(name=name, hop=NextHop(host=body.host, port=body.port, tls=TlsMode(body.tls), credentials=credentials))
