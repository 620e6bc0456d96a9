"""Lines, counted octets and where framing is lost."""

import pytest

from mailstack.wire.framing import Framer, ProtocolFault
from tests.support.splitting import splits


def lines_of(pieces: list[bytes]) -> list[bytes]:
    framer, lines = Framer(100), []
    for piece in pieces:
        framer.feed(piece)
        while (line := framer.line()) is not None:
            lines.append(line)
    return lines


def test_lines_are_the_same_however_they_are_cut() -> None:
    for pieces in splits(b"a NOOP\r\n\r\nb {3}\r\n"):
        assert lines_of(pieces) == [b"a NOOP", b"", b"b {3}"]


@pytest.mark.parametrize("data", [b"a NOOP\n", b"\n", b"a\nb\r\n"])
def test_a_bare_line_feed_ends_the_conversation(data: bytes) -> None:
    for pieces in splits(data):
        with pytest.raises(ProtocolFault, match="CRLF"):
            lines_of(pieces)


@pytest.mark.parametrize("data", [b"x" * 101, b"x" * 101 + b"\r\n", b"ok\r\n" + b"x" * 200])
def test_a_line_over_the_limit_ends_the_conversation(data: bytes) -> None:
    for pieces in splits(data):
        with pytest.raises(ProtocolFault, match="too long"):
            lines_of(pieces)


def test_dropped_input_is_gone() -> None:
    framer = Framer(100)
    framer.feed(b"a NOOP\r\nb NO")
    framer.drop()
    framer.feed(b"c NOOP\r\n")

    assert framer.line() == b"c NOOP"


def test_octets_come_as_they_are() -> None:
    framer = Framer(100)
    framer.feed(b"ab\r\nc NOOP\r\n")

    assert (framer.octets(4), framer.line(), framer.octets(4)) == (b"ab\r\n", b"c NOOP", b"")
