"""WebSockets: any octets are messages or break it, alike whole and in pieces; none is longer than it may be."""

from contextlib import suppress

from websockets.extensions.permessage_deflate import PerMessageDeflate

from mailstack.wire.jmap.limits import JmapLimits
from mailstack.wire.jmap.session import CORE
from mailstack.wire.jmap.web_socket import SocketProblem, parse_message
from mailstack.wire.websocket.handshake import BadHandshake, agree
from mailstack.wire.websocket.machine import Broken, Closed, Event, Text, WebSocketMachine
from tests.fuzz.target import Target
from tests.support.websocket_frames import CLOSE, PING, frame, goodbye

_MOST = 1_000
_PIECE = 7


def _events(pieces: list[bytes]) -> list[Event]:
    machine = WebSocketMachine(most_octets=_MOST, deflating=PerMessageDeflate(True, True, 15, 15))
    found: list[Event] = []
    for piece in pieces:
        machine.receive(piece)
        while (event := machine.next_event()) is not None:
            found.append(event)
    return found


def _frames(data: bytes) -> None:
    whole = _events([data])
    assert whole == _events([data[at : at + _PIECE] for at in range(0, len(data), _PIECE)])
    assert not any(isinstance(event, Closed | Broken) for event in whole[:-1])
    for event in whole:
        if isinstance(event, Text):
            event.data.decode()
            assert len(event.data) <= _MOST


def _message(data: bytes) -> None:
    with suppress(SocketProblem):
        parse_message(data, JmapLimits(), {CORE})


def _handshake(data: bytes) -> None:
    """Lines of a name, a colon and a value."""
    lines = (line.partition(":") for line in data.decode("latin-1").splitlines())
    with suppress(BadHandshake):
        machine, fields = agree([(name, value) for name, _, value in lines], speaking="jmap", most_octets=_MOST)
        assert machine.is_deflating is ("Sec-WebSocket-Extensions" in fields)


_HELLO = bytes((0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00))
_ASKED = b"""upgrade:websocket
connection:Upgrade
sec-websocket-key:dGhlIHNhbXBsZSBub25jZQ==
sec-websocket-version:13
sec-websocket-protocol:jmap
sec-websocket-extensions:permessage-deflate; server_max_window_bits=10, permessage-deflate"""

TARGETS = (
    Target(
        "websocket frames",
        _frames,
        (
            frame(b"Hello")
            + frame(b"Hel", is_final=False)
            + frame(b"", PING)
            + frame(b"lo", 0)
            + goodbye(1000, b"bye"),
            frame(_HELLO, rsv=4) + frame(_HELLO[:3], rsv=4, is_final=False) + frame(_HELLO[3:], 0) + frame(b"", CLOSE),
            frame(b"x" * 300) + frame(b"y" * 300, is_final=False),
        ),
    ),
    Target("websocket handshake", _handshake, (_ASKED,)),
    Target(
        "jmap message",
        _message,
        (
            b'{"@type": "Request", "id": "R1", "using": ["urn:ietf:params:jmap:core"], "methodCalls": []}',
            b'{"@type": "WebSocketPushEnable", "dataTypes": ["Email"], "pushState": "x"}',
            b'{"@type": "WebSocketPushDisable"}',
        ),
    ),
)
