"""How a connection becomes a WebSocket that speaks JMAP. RFC 8887 §4.1, §4.2."""

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from mailstack.model.principal import Account
from mailstack.servers.http.line import SWITCHING_PROTOCOLS, LineResponse
from mailstack.servers.http.problem import Problem, Refused
from mailstack.servers.http.target import HTTP_1_0
from mailstack.servers.http.web_socket import WebSocket
from mailstack.servers.jmap.service import JmapService
from mailstack.servers.jmap.staying import staying
from mailstack.servers.jmap.talker import JmapTalker
from mailstack.wire.jmap.web_socket import PROTOCOL
from mailstack.wire.websocket.handshake import VERSION, BadHandshake, Handshake, read_handshake
from mailstack.wire.websocket.machine import WebSocketMachine

UPGRADE_REQUIRED = Problem(
    status=426,
    title="A WebSocket is spoken here",
    # RFC 9110 §15.5.22, RFC 6455 §4.4
    headers={"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": VERSION},
)
BAD_HANDSHAKE = Problem(status=400, title="The WebSocket cannot be agreed to")
OTHER_ORIGIN = Problem(status=403, title="Pages of other origins have no WebSocket here")


def agreed_to(request: Request, *, origin: str) -> Handshake:
    """origin: our own. Raises Refused."""
    fields: dict[str, list[str]] = {}
    for name, value in request.headers.items():
        fields.setdefault(name, []).append(value)
    # RFC 6455 §10.2: a browser sends along the password that it keeps for us, whoever's page asks; and what comes back
    # the page may read, which CORS forbids elsewhere.
    if fields.get("origin", [origin]) != [origin]:
        raise Refused(OTHER_ORIGIN)
    if request.scope["http_version"] == HTTP_1_0 or request.method != "GET":
        raise Refused(UPGRADE_REQUIRED)
    try:
        agreed = read_handshake(fields)
    except BadHandshake as fault:
        raise Refused(replace(BAD_HANDSHAKE if fault.is_upgrade else UPGRADE_REQUIRED, detail=str(fault))) from None
    if PROTOCOL not in agreed.protocols:
        raise Refused(replace(BAD_HANDSHAKE, detail=f"Sec-WebSocket-Protocol has to name {PROTOCOL}"))
    return agreed


async def web_socket(service: JmapService, login: Account, agreed: Handshake, request: Request) -> Response:
    """Raises Refused."""
    machine = WebSocketMachine(most_octets=service.limits.request_octets, deflating=agreed.deflating)
    headers = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Accept": agreed.accept,
        "Sec-WebSocket-Protocol": PROTOCOL,
        **({"Sec-WebSocket-Extensions": agreed.agreed} if agreed.agreed else {}),
    }
    socket = WebSocket(JmapTalker(service, login, is_deflating=machine.is_deflating), machine)
    guest = await staying(socket, service, request)
    return LineResponse(guest, status_code=SWITCHING_PROTOCOLS, headers=headers)
