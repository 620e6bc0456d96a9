"""Frames in and out: tables, whole and in pieces. RFC 6455 §5, §7, RFC 7692 §7.2.3."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import CloseCode

from mailstack.wire.websocket.machine import (
    Broken,
    Closed,
    Event,
    Ping,
    Pong,
    Text,
    WebSocketMachine,
    close,
    ping,
    pong,
)
from tests.support.splitting import splits
from tests.support.websocket_frames import BINARY, CLOSE, MASK, PING, PONG, TEXT, frame, goodbye

MOST = 200_000


def machine(*, is_deflating: bool = False, most_octets: int = MOST, window_bits: int = 15) -> WebSocketMachine:
    deflating = PerMessageDeflate(True, True, 15, window_bits, {"level": 1}) if is_deflating else None
    return WebSocketMachine(most_octets=most_octets, deflating=deflating)


def events(of: WebSocketMachine, *pieces: bytes) -> list[Event]:
    found = []
    for piece in pieces:
        of.receive(piece)
        while (event := of.next_event()) is not None:
            found.append(event)
    return found


def deflated(data: bytes) -> bytes:
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (deflater.compress(data) + deflater.flush(zlib.Z_SYNC_FLUSH))[:-4]


CONVERSATION = (
    frame(b"Hello")
    + frame(b"Hel", is_final=False)
    + frame(b"amid", PING)
    + frame(b"", 0, is_final=False)
    + frame(b"lo", 0)
    + frame(b"", PONG)
    + frame("ünï".encode())
    + frame(b"x" * 126)
    + frame(b"")
    + goodbye(1001, b"bye")
)
MET = [
    Text(b"Hello"),
    Ping(b"amid"),
    Text(b"Hello"),
    Pong(b""),
    Text("ünï".encode()),
    Text(b"x" * 126),
    Text(b""),
    Closed(1001),
]


def test_a_conversation_however_it_is_cut() -> None:
    assert events(machine(), CONVERSATION) == MET
    for pieces in splits(CONVERSATION):
        assert events(machine(), *pieces) == MET


def test_the_examples() -> None:
    # RFC 6455 §5.7
    masked = bytes((0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58))
    assert events(machine(), masked) == [Text(b"Hello")]
    assert machine().text(b"Hello") == bytes((0x81, 0x05)) + b"Hello"
    assert pong(Ping(b"Hello")) == bytes((0x8A, 0x05)) + b"Hello"
    assert ping() == bytes((0x89, 0x00))


@pytest.mark.parametrize("length", [0, 125, 126, 65_535, 65_536])
def test_lengths(length: int) -> None:
    message = b"x" * length
    assert events(machine(), frame(message)) == [Text(message)]
    written = machine().text(message)
    assert written.endswith(message)
    assert len(written) - length == (2 if length <= 125 else 4 if length < 65_536 else 10)


@pytest.mark.parametrize(
    ("octets", "code"),
    [
        (frame(b"x")[:1] + b"\x01x", CloseCode.PROTOCOL_ERROR),  # without a mask
        (frame(b"x", rsv=4), CloseCode.PROTOCOL_ERROR),
        (frame(b"x", rsv=2), CloseCode.PROTOCOL_ERROR),
        (frame(b"x", rsv=1), CloseCode.PROTOCOL_ERROR),
        (frame(b"x", 3), CloseCode.PROTOCOL_ERROR),
        (frame(b"x", 11), CloseCode.PROTOCOL_ERROR),
        (frame(b"x", 0), CloseCode.PROTOCOL_ERROR),
        (frame(b"x", is_final=False) + frame(b"y"), CloseCode.PROTOCOL_ERROR),
        (frame(b"x", PING, is_final=False), CloseCode.PROTOCOL_ERROR),
        (frame(b"x" * 126, PING), CloseCode.PROTOCOL_ERROR),
        (bytes((0x81, 0x80 | 127)) + (1 << 63).to_bytes(8, "big") + MASK, CloseCode.MESSAGE_TOO_BIG),
        (frame(b"x", BINARY), CloseCode.UNSUPPORTED_DATA),
        (frame(b"\xff"), CloseCode.INVALID_DATA),
        (frame("ü".encode()[:1], is_final=False) + frame(b"x", 0), CloseCode.INVALID_DATA),
        (frame(b"x", CLOSE), CloseCode.PROTOCOL_ERROR),
        (goodbye(999), CloseCode.PROTOCOL_ERROR),
        (goodbye(1005), CloseCode.PROTOCOL_ERROR),
        (goodbye(1006), CloseCode.PROTOCOL_ERROR),
        (goodbye(2999), CloseCode.PROTOCOL_ERROR),
        (goodbye(5000), CloseCode.PROTOCOL_ERROR),
        (goodbye(1000, b"\xff"), CloseCode.INVALID_DATA),
    ],
)
def test_what_a_client_may_not(octets: bytes, code: CloseCode) -> None:
    broken = machine()
    *before, last = events(broken, octets + frame(b"not heard any more"))
    assert before == []
    assert isinstance(last, Broken)
    assert last.code == code
    assert events(broken, frame(b"nor this")) == []


@pytest.mark.parametrize(("octets", "code"), [(frame(b"", CLOSE), CloseCode.NO_STATUS_RCVD), (goodbye(4999), 4999)])
def test_goodbyes(octets: bytes, code: int) -> None:
    assert events(machine(), octets + frame(b"late")) == [Closed(code)]
    written = close(code, "why")
    assert written == (bytes((0x88, 0)) if code == CloseCode.NO_STATUS_RCVD else b"\x88\x05\x13\x87why")


def test_a_reason_is_cut_between_letters() -> None:
    written = close(CloseCode.NORMAL_CLOSURE, "ü" * 100)
    assert len(written) == 2 + 2 + 122
    assert written[4:].decode() == "ü" * 61


@pytest.mark.parametrize("is_whole", [True, False])
def test_no_more_is_kept_than_one_message_may_be(*, is_whole: bool) -> None:
    full = machine(most_octets=1_000)
    assert events(full, frame(b"x" * 1_000)) == [Text(b"x" * 1_000)]
    octets = frame(b"x" * 1_001)[:14] if is_whole else frame(b"x" * 600, is_final=False) + frame(b"y" * 401, 0)
    (broken,) = events(full, octets)
    assert isinstance(broken, Broken)
    assert broken.code == CloseCode.MESSAGE_TOO_BIG
    assert full.message_octets == 0


def test_the_examples_of_compression() -> None:
    # RFC 7692 §7.2.3.1, §7.2.3.2 (the window is not taken over), §7.2.3.3, §7.2.3.4
    hello = bytes((0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00))
    stored = bytes((0x00, 0x05, 0x00, 0xFA, 0xFF)) + b"Hello" + b"\x00"
    last = bytes((0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00))
    two = bytes((0xF2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xCA, 0xC9, 0xC9, 0x07, 0x00))
    for payload in (hello, stored, last, two):
        whole = frame(payload, rsv=4)
        cut = frame(payload[:3], rsv=4, is_final=False) + frame(b"", PING) + frame(payload[3:], 0)
        assert events(machine(is_deflating=True), whole) == [Text(b"Hello")]
        for pieces in splits(cut):
            assert events(machine(is_deflating=True), *pieces) == [Ping(b""), Text(b"Hello")]


@given(st.lists(st.text(max_size=2_000), max_size=5))
def test_compressed_and_plain_messages_follow_each_other(texts: list[str]) -> None:
    messages = [text.encode() for text in texts]
    octets = b"".join(
        frame(deflated(each), rsv=4) if number % 2 else frame(each) for number, each in enumerate(messages)
    )
    assert events(machine(is_deflating=True), octets) == [Text(each) for each in messages]


@given(st.binary(max_size=5_000), st.integers(9, 15))
def test_what_is_deflated_is_inflated_again(message: bytes, window_bits: int) -> None:
    written = machine(is_deflating=True, window_bits=window_bits).text(message, is_deflated=True)
    assert written[0] == 0xC1
    head = 2 if written[1] <= 125 else 4
    assert zlib.decompressobj(-window_bits).decompress(written[head:] + b"\x00\x00\xff\xff") == message


@pytest.mark.parametrize(
    ("octets", "code"),
    [
        (frame(deflated(b"x" * 1_001), rsv=4), CloseCode.MESSAGE_TOO_BIG),
        (frame(deflated(b"x" * 100_000_000), rsv=4), CloseCode.MESSAGE_TOO_BIG),
        (frame(b"\xff\xff\xff", rsv=4), CloseCode.PROTOCOL_ERROR),
        (frame(deflated(b"\xff"), rsv=4), CloseCode.INVALID_DATA),
        (frame(b"x", TEXT, is_final=False, rsv=4) + frame(b"x", 0, rsv=4), CloseCode.PROTOCOL_ERROR),
        (frame(b"x", PING, rsv=4), CloseCode.PROTOCOL_ERROR),
    ],
)
def test_compression_that_is_no_use(octets: bytes, code: CloseCode) -> None:
    (broken,) = events(machine(is_deflating=True, most_octets=1_000), octets)
    assert isinstance(broken, Broken)
    assert broken.code == code
