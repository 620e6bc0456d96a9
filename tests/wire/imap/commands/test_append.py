"""APPEND's head; its octets are test_machine's."""

from datetime import UTC, datetime

import pytest

from mailstack.model.instant import from_datetime
from mailstack.wire.imap.commands.append import Append
from mailstack.wire.imap.events import Command, SyntaxFault
from tests.support.imap_events import events_of

WHEN = from_datetime(datetime(1994, 2, 8, 5, 52, 25, tzinfo=UTC))


@pytest.mark.parametrize(
    ("head", "append"),
    [
        (b"saved", Append(mailbox="saved", flags=(), received_at=None, size_octets=2)),
        (b"saved (\\Seen a)", Append(mailbox="saved", flags=("\\Seen", "a"), received_at=None, size_octets=2)),
        (
            b'"a b" () " 7-Feb-1994 21:52:25 -0800"',
            Append(mailbox="a b", flags=(), received_at=WHEN, size_octets=2),
        ),
        (
            b'INBOX "07-Feb-1994 21:52:25 -0800"',
            Append(mailbox="INBOX", flags=(), received_at=WHEN, size_octets=2),
        ),
    ],
)
def test_head(head: bytes, append: Append) -> None:
    assert events_of(b"a APPEND " + head + b" {2+}\r\nhi\r\n")[-1] == Command(tag="a", request=append)


@pytest.mark.parametrize("head", [b"(\\Seen)", b"a b", b'a "foo"', b'a " 7-Feb-1994 21:52:25 -0800" ()', b"a ("])
def test_malformed(head: bytes) -> None:
    (event,) = events_of(b"a APPEND " + head + b" {2+}\r\nhi\r\n")

    assert isinstance(event, SyntaxFault)
    assert event.tag == "a"
