"""How a WebSocket is agreed to, and what is refused. RFC 6455 §4, RFC 7692 §7.1."""

import pytest

from mailstack.wire.websocket.deflate import Deflating
from mailstack.wire.websocket.handshake import BadHandshake, read_handshake

# RFC 6455 §1.3
ASKED = {
    "upgrade": ["websocket"],
    "connection": ["Upgrade"],
    "sec-websocket-key": ["dGhlIHNhbXBsZSBub25jZQ=="],
    "sec-websocket-protocol": ["chat, superchat"],
    "sec-websocket-version": ["13"],
}
AGREED = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"


def test_the_example() -> None:
    agreed = read_handshake(ASKED)
    assert agreed.accept == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert agreed.protocols == ("chat", "superchat")
    assert agreed.deflating is None
    assert agreed.agreed == ""


@pytest.mark.parametrize(
    "more",
    [
        {"connection": ["keep-alive, Upgrade"], "upgrade": ["WebSocket"]},
        {"connection": ["keep-alive", "upgrade"]},
        {"sec-websocket-protocol": ["chat", "superchat"]},
    ],
)
def test_the_same_in_other_words(more: dict[str, list[str]]) -> None:
    assert read_handshake(ASKED | more).protocols == ("chat", "superchat")


@pytest.mark.parametrize(
    ("more", "is_upgrade"),
    [
        ({"upgrade": []}, False),
        ({"upgrade": ["h2c"]}, False),
        ({"connection": ["close"]}, False),
        ({"sec-websocket-version": ["8"]}, False),
        ({"sec-websocket-version": ["13", "13"]}, False),
        ({"sec-websocket-version": []}, False),
        ({"sec-websocket-key": []}, True),
        ({"sec-websocket-key": ["dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ=="]}, True),
        ({"sec-websocket-key": ["dGhlIHNhbXBsZQ=="]}, True),
        ({"sec-websocket-key": ["x"]}, True),
        ({"sec-websocket-key": ["é"]}, True),
    ],
)
def test_what_cannot_be_agreed_to(more: dict[str, list[str]], *, is_upgrade: bool) -> None:
    with pytest.raises(BadHandshake) as refused:
        read_handshake(ASKED | more)
    assert refused.value.is_upgrade is is_upgrade


@pytest.mark.parametrize(
    ("offers", "window_bits", "agreed"),
    [
        (["permessage-deflate"], 15, AGREED),
        (["permessage-deflate; client_max_window_bits"], 15, AGREED),
        (["permessage-deflate; client_max_window_bits=8"], 15, AGREED),
        (["Permessage-Deflate; server_no_context_takeover; client_no_context_takeover"], 15, AGREED),
        (['permessage-deflate; server_max_window_bits="10"'], 10, AGREED + "; server_max_window_bits=10"),
        (["permessage-deflate; server_max_window_bits=15"], 15, AGREED),
        # RFC 7692 §5.2: the first that can be taken.
        (["x-other, permessage-deflate; server_max_window_bits=8, permessage-deflate"], 15, AGREED),
        (["permessage-deflate; unknown", "permessage-deflate"], 15, AGREED),
    ],
)
def test_compression_that_is_offered(offers: list[str], window_bits: int, agreed: str) -> None:
    found = read_handshake(ASKED | {"sec-websocket-extensions": offers})
    assert (found.deflating, found.agreed) == (Deflating(window_bits=window_bits), agreed)


@pytest.mark.parametrize(
    "offer",
    [
        "x-webkit-deflate-frame",
        "permessage-deflate; server_max_window_bits",
        "permessage-deflate; server_max_window_bits=8",
        "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; client_max_window_bits=7",
        "permessage-deflate; client_max_window_bits=x",
        "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
        "permessage-deflate; server_max_window_bits=10; server_max_window_bits=10",
        "permessage-deflate;",
        "",
    ],
)
def test_compression_that_is_not_taken(offer: str) -> None:
    found = read_handshake(ASKED | {"sec-websocket-extensions": [offer]})
    assert (found.deflating, found.agreed) == (None, "")
