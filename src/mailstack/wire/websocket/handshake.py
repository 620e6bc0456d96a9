"""How a WebSocket is asked for and agreed to, by the library `websockets`. RFC 6455 §4, RFC 7692 §5, §7.1."""

from collections.abc import Iterable, Mapping

from websockets.datastructures import Headers
from websockets.exceptions import InvalidHeader, InvalidUpgrade
from websockets.extensions.permessage_deflate import PerMessageDeflate, ServerPerMessageDeflateFactory
from websockets.http11 import Request
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from mailstack.wire.websocket.machine import WebSocketMachine

VERSION = "13"
_SWITCHING_PROTOCOLS = 101
# RFC 7692 §7.1.1: with what one message has taught the next one, each socket would keep two windows for good. More than
# the lowest level would cost several times the time of all else, for a tenth less.
_DEFLATE = ServerPerMessageDeflateFactory(
    server_no_context_takeover=True, client_no_context_takeover=True, compress_settings={"level": 1}
)


class BadHandshake(Exception):
    """str() is why, for whoever writes the client. is_upgrade: a WebSocket was asked for, in a way that is not known
    here."""

    def __init__(self, detail: str, *, is_upgrade: bool = True) -> None:
        super().__init__(detail)
        self.is_upgrade = is_upgrade


def agree(
    fields: Iterable[tuple[str, str]], *, speaking: str, most_octets: int
) -> tuple[WebSocketMachine, Mapping[str, str]]:
    """With the fields of the answer. speaking: the one subprotocol. most_octets: of one message, as it is once
    inflated. Raises BadHandshake."""
    protocol = ServerProtocol(extensions=[_DEFLATE], subprotocols=[Subprotocol(speaking)])
    try:
        # The path is looked at by nobody.
        answer = protocol.accept(Request("/", Headers(fields)))
    except InvalidHeader as no_field:
        raise BadHandshake(str(no_field)) from None
    if answer.status_code != _SWITCHING_PROTOCOLS:
        fault = protocol.handshake_exc
        is_version = isinstance(fault, InvalidHeader) and fault.name == "Sec-WebSocket-Version"
        raise BadHandshake(str(fault), is_upgrade=not (isinstance(fault, InvalidUpgrade) or is_version))
    deflating = next((each for each in protocol.extensions if isinstance(each, PerMessageDeflate)), None)
    machine = WebSocketMachine(most_octets=most_octets, deflating=deflating)
    return machine, {name: value for name, value in answer.headers.raw_items() if name != "Date"}
