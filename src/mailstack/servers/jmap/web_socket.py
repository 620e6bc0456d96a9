"""How a connection becomes a WebSocket that speaks JMAP. RFC 8887 §4.1, §4.2."""

from collections.abc import Mapping
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
from mailstack.wire.websocket.handshake import VERSION, BadHandshake, agree
from mailstack.wire.websocket.machine import WebSocketMachine

UPGRADE_REQUIRED = Problem(
    status=426,
    title="A WebSocket is spoken here",
    # RFC 9110 §15.5.22, RFC 6455 §4.4
    headers={"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": VERSION},
)
BAD_HANDSHAKE = Problem(status=400, title="The WebSocket cannot be agreed to")
OTHER_ORIGIN = Problem(status=403, title="Pages of other origins have no WebSocket here")


def agreed_to(request: Request, service: JmapService, *, origin: str) -> tuple[WebSocketMachine, Mapping[str, str]]:
    """With the fields of the answer. origin: our own. Raises Refused."""
    # RFC 6455 §10.2: a browser sends along the password that it keeps for us, whoever's page asks; and what comes back
    # the page may read, which CORS forbids elsewhere.
    if request.headers.getlist("origin") not in ([], [origin]):
        raise Refused(OTHER_ORIGIN)
    if request.scope["http_version"] == HTTP_1_0 or request.method != "GET":
        raise Refused(UPGRADE_REQUIRED)
    try:
        return agree(request.headers.items(), speaking=PROTOCOL, most_octets=service.limits.request_octets)
    except BadHandshake as fault:
        raise Refused(replace(BAD_HANDSHAKE if fault.is_upgrade else UPGRADE_REQUIRED, detail=str(fault))) from None


async def web_socket(
    service: JmapService, login: Account, machine: WebSocketMachine, headers: Mapping[str, str], request: Request
) -> Response:
    """headers: of the answer. Raises Refused."""
    socket = WebSocket(JmapTalker(service, login, is_deflating=machine.is_deflating), machine)
    guest = await staying(socket, service, request)
    return LineResponse(guest, status_code=SWITCHING_PROTOCOLS, headers={**headers})
