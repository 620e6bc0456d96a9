"""APPEND's text between its messages. Its limits and refusals are test_machine's."""

from datetime import UTC, datetime

import pytest

from mailstack.model.instant import from_datetime
from mailstack.wire.imap.commands.append import Append, Upload
from mailstack.wire.imap.events import Command, Event, MessageBegins, MessageOctets, MessageUrl, SyntaxFault, TextBegins
from tests.support.imap_events import events_of

WHEN = from_datetime(datetime(1994, 2, 8, 5, 52, 25, tzinfo=UTC))


def saved(*uploads: Upload, mailbox: str = "saved") -> Append:
    return Append(mailbox=mailbox, uploads=uploads or (Upload(),))


@pytest.mark.parametrize(
    ("head", "append"),
    [
        (b"saved", saved()),
        (b"saved (\\Seen a)", saved(Upload(flags=("\\Seen", "a")))),
        (b'"a b" () " 7-Feb-1994 21:52:25 -0800"', saved(Upload(received_at=WHEN), mailbox="a b")),
        (b'INBOX "07-Feb-1994 21:52:25 -0800"', saved(Upload(received_at=WHEN), mailbox="INBOX")),
        (b"{5+}\r\nsaved", saved()),
        (b"URL", saved(mailbox="URL")),
    ],
)
def test_head(head: bytes, append: Append) -> None:
    assert events_of(b"a APPEND " + head + b" {2+}\r\nhi\r\n")[-1] == Command(tag="a", request=append)


@pytest.mark.parametrize(
    "rest",
    [
        b"(\\Seen)",
        b"a b",
        b'a "foo"',
        b'a " 7-Feb-1994 21:52:25 -0800" ()',
        b"a (",
        b"a UTF8 ({2+}\r\nhi)",
        b"a CATENATE",
        b"a CATENATE ()",
        b"a CATENATE (URL)",
        b'a CATENATE (TEXT "x")',
        b"a CATENATE (FOO x)",
        b"a CATENATE (URL x",
        b"a CATENATE (URL x) y",
    ],
)
def test_malformed(rest: bytes) -> None:
    event = events_of(b"a APPEND " + rest + b" {2+}\r\nhi\r\n")[-1]

    assert isinstance(event, SyntaxFault)
    assert event.tag == "a"


def test_several_messages() -> None:
    """RFC 3502 §6.3.11."""
    events = events_of(b'a APPEND saved (\\Seen) {1+}\r\nx {0+}\r\n (b) "07-Feb-1994 21:52:25 -0800" {1}\r\ny\r\n')

    one, two, three = Upload(flags=("\\Seen",)), Upload(), Upload(flags=("b",), received_at=WHEN)
    assert events == [
        MessageBegins(request=saved(one)),
        text(1),
        MessageOctets(b"x"),
        MessageBegins(request=saved(one, two)),
        text(0),
        MessageBegins(request=saved(one, two, three)),
        TextBegins(size_octets=1, is_synchronizing=True, is_binary=False),
        MessageOctets(b"y"),
        Command(tag="a", request=saved(one, two, three)),
    ]


def test_binary_and_utf8_messages() -> None:
    """RFC 3516 §4.4, RFC 6855 §4."""
    events = events_of(b"a APPEND saved ~{2+}\r\n\0x UTF8 (~{2+}\r\n\xc3\xa4)\r\n")

    assert events == [
        MessageBegins(request=saved()),
        text(2, is_binary=True),
        MessageOctets(b"\0x"),
        MessageBegins(request=saved(Upload(), Upload(is_utf8=True))),
        text(2, is_binary=True),
        MessageOctets(b"\xc3\xa4"),
        Command(tag="a", request=saved(Upload(), Upload(is_utf8=True))),
    ]


@pytest.mark.parametrize(
    ("parts", "events"),
    [
        (b'(URL "/a/;UID=1")', [MessageUrl("/a/;UID=1")]),
        (b"(url x text {1+}\r\ny)", [MessageUrl("x"), ("text", 1), MessageOctets(b"y")]),
        (
            b"(TEXT {1+}\r\ny URL {3+}\r\nx y URL z)",
            [("text", 1), MessageOctets(b"y"), MessageUrl("x y"), MessageUrl("z")],
        ),
        (b"(TEXT {0+}\r\n UTF8 (~{1+}\r\nx))", [("text", 0), ("binary", 1), MessageOctets(b"x")]),
    ],
)
def test_catenate(parts: bytes, events: list[Event | tuple[str, int]]) -> None:
    """RFC 4469 §5."""
    expected = [text(one[1], is_binary=one[0] == "binary") if isinstance(one, tuple) else one for one in events]

    assert events_of(b"a APPEND saved CATENATE " + parts + b"\r\n") == [
        MessageBegins(request=saved()),
        *expected,
        Command(tag="a", request=saved()),
    ]


def text(size_octets: int, *, is_binary: bool = False) -> TextBegins:
    return TextBegins(size_octets=size_octets, is_synchronizing=False, is_binary=is_binary)
