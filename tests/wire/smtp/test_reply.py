"""Replies: bytes to values, however they were cut."""

import contextlib

import pytest

from mailstack.model.delivery import SmtpReply
from mailstack.wire.smtp.reply import ProtocolFault, Reply, ReplyLimits, ReplyParser
from tests.support.splitting import splits

LIMITS = ReplyLimits(line_octets=64, lines=4)


def reply(code: int, *lines: str, status: str = "") -> Reply:
    return Reply(code=code, status=status, lines=lines)


def feed_all(parser: ReplyParser, pieces: list[bytes]) -> list[Reply]:
    return [found for piece in pieces for found in parser.feed(piece)]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"250 ok\r\n", [reply(250, "ok")]),  # RFC 5321 §4.2
        (b"250\r\n", [reply(250, "")]),
        (b"250 \r\n", [reply(250, "")]),
        (b"250-a\r\n250-b\r\n250 c\r\n", [reply(250, "a", "b", "c")]),  # §4.2.1
        (b"250-\r\n250\r\n", [reply(250, "", "")]),
        (b"354 go\r\n250 done\r\n", [reply(354, "go"), reply(250, "done")]),  # RFC 2920 §3.2
        (b"250 2.1.5 ok\r\n", [reply(250, "ok", status="2.1.5")]),  # RFC 2034 §4
        (b"550-5.1.1 no\r\n550 5.1.1 one\r\n", [reply(550, "no", "one", status="5.1.1")]),
        (b"550 5.1.1\r\n", [reply(550, "", status="5.1.1")]),
        (b"550 4.1.1 of another class\r\n", [reply(550, "4.1.1 of another class")]),
        (b"550 5.1.1.1 none\r\n", [reply(550, "5.1.1.1 none")]),
        (b"250 bare LF\n", [reply(250, "bare LF")]),
        ("250 grüße\r\n".encode(), [reply(250, "grüße")]),
        (b"250 bell\x07 esc\x1b[31m \xff\tcr\rx\r\n", [reply(250, "bell? esc?[31m \N{REPLACEMENT CHARACTER}?cr?x")]),
        (b"250 half", []),
        (b"", []),
    ],
)
def test_replies(data: bytes, expected: list[Reply]) -> None:
    for pieces in splits(data):
        assert expected == feed_all(ReplyParser(LIMITS), pieces)


def test_what_was_said_before_a_fault_counts() -> None:
    for pieces in splits(b"250 ok\r\n550 no\r\nhello\r\n"):
        parser = ReplyParser(LIMITS)
        heard: list[Reply] = []
        with contextlib.suppress(ProtocolFault):
            for piece in pieces:
                heard += parser.feed(piece)
        assert heard == [reply(250, "ok"), reply(550, "no")]
        assert parser.fault is not None
        with pytest.raises(ProtocolFault):
            parser.feed(b"250 again\r\n")


@pytest.mark.parametrize(
    "data",
    [
        b"hello\r\n",
        b"\r\n",
        b"25 ok\r\n",
        b"2500 ok\r\n",
        b"150 ok\r\n",  # RFC 5321 §4.2: Reply-code = %x32-35 …
        b"650 ok\r\n",
        b"250_ok\r\n",
        b" 250 ok\r\n",
        b"250-a\r\n251 b\r\n",
        b"250 " + b"x" * 61 + b"\r\n",
        b"x" * 65,
        b"250-a\r\n" * 4 + b"250 a\r\n",
        b"HTTP/1.1 400 Bad Request\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n",
    ],
)
def test_what_is_no_reply_is_a_fault(data: bytes) -> None:
    for pieces in splits(data):
        with pytest.raises(ProtocolFault):
            feed_all(ReplyParser(LIMITS), pieces)


def test_an_outcome_is_one_bounded_line() -> None:
    outcome = Reply(code=550, status="5.7.1", lines=("no", "", "way", "x" * 5000)).as_outcome()
    assert outcome == SmtpReply(code=550, status="5.7.1", text=("no way " + "x" * 5000)[:500])
    assert str(outcome).startswith("550 5.7.1 no way x")


def test_bytes_of_an_unfinished_reply_are_seen() -> None:
    parser = ReplyParser(LIMITS)
    parser.feed(b"220 go\r\n")
    assert not parser.holds_bytes
    parser.feed(b"250-a\r\n")
    assert parser.holds_bytes
