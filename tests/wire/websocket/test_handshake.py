"""How a WebSocket is agreed to, and what is refused. RFC 6455 §4, RFC 7692 §7.1."""

from collections.abc import Mapping

import pytest

from mailstack.wire.websocket.handshake import BadHandshake, agree
from mailstack.wire.websocket.machine import WebSocketMachine

# RFC 6455 §1.3
ASKED: Mapping[str, list[str]] = {
    "upgrade": ["websocket"],
    "connection": ["Upgrade"],
    "sec-websocket-key": ["dGhlIHNhbXBsZSBub25jZQ=="],
    "sec-websocket-protocol": ["chat, superchat"],
    "sec-websocket-version": ["13"],
}
AGREED = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"


def answer(more: Mapping[str, list[str]], *, speaking: str = "superchat") -> tuple[WebSocketMachine, Mapping[str, str]]:
    fields = [(name, value) for name, values in {**ASKED, **more}.items() for value in values]
    return agree(fields, speaking=speaking, most_octets=1_000)


def test_the_example() -> None:
    machine, fields = answer({})
    assert fields == {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Accept": "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
        "Sec-WebSocket-Protocol": "superchat",
    }
    assert not machine.is_deflating


@pytest.mark.parametrize(
    "more",
    [
        {"connection": ["keep-alive, Upgrade"], "upgrade": ["WebSocket"]},
        {"connection": ["keep-alive", "upgrade"]},
        {"sec-websocket-protocol": ["chat", "superchat"]},
    ],
)
def test_the_same_in_other_words(more: dict[str, list[str]]) -> None:
    assert answer(more)[1]["Sec-WebSocket-Protocol"] == "superchat"


@pytest.mark.parametrize(
    ("more", "is_upgrade"),
    [
        ({"upgrade": []}, False),
        ({"upgrade": ["h2c"]}, False),
        ({"connection": ["close"]}, False),
        ({"connection": ["\x00"]}, True),
        ({"sec-websocket-version": ["8"]}, False),
        ({"sec-websocket-version": ["13", "13"]}, False),
        ({"sec-websocket-version": []}, False),
        ({"sec-websocket-key": []}, True),
        ({"sec-websocket-key": ["dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ=="]}, True),
        ({"sec-websocket-key": ["dGhlIHNhbXBsZQ=="]}, True),
        ({"sec-websocket-key": ["x"]}, True),
        ({"sec-websocket-protocol": []}, True),
        ({"sec-websocket-protocol": ["chat"]}, True),
    ],
)
def test_what_cannot_be_agreed_to(more: dict[str, list[str]], *, is_upgrade: bool) -> None:
    with pytest.raises(BadHandshake) as refused:
        answer(more)
    assert refused.value.is_upgrade is is_upgrade
    assert str(refused.value) != ""


@pytest.mark.parametrize("offer", ["permessage-deflate", "permessage-deflate; client_max_window_bits=8", "x-other"])
def test_no_window_is_kept_from_message_to_message(offer: str) -> None:
    machine, fields = answer({"sec-websocket-extensions": [offer]})
    assert machine.is_deflating is (offer != "x-other")
    agreed = fields.get("Sec-WebSocket-Extensions")
    assert (agreed or AGREED).startswith(AGREED)
