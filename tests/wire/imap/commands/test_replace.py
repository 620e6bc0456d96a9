"""REPLACE and UID REPLACE. RFC 8508 §5."""

import pytest

from mailstack.model.numset import STAR, NumSet
from mailstack.wire.imap.commands.append import Upload
from mailstack.wire.imap.commands.numbered import Numbered
from mailstack.wire.imap.commands.replace import Replace
from mailstack.wire.imap.events import Command, SyntaxFault
from tests.support.imap_events import events_of


@pytest.mark.parametrize(
    ("head", "number", "is_uid"),
    [(b"REPLACE 4", 4, False), (b"uid replace 2000", 2000, True), (b"REPLACE *", STAR, False)],
)
def test_replace(head: bytes, number: int, is_uid: bool) -> None:
    assert events_of(b"a " + head + b" Drafts (\\Seen) {2+}\r\nhi\r\n")[-1] == Command(
        tag="a",
        request=Replace(
            message=Numbered(numbers=NumSet(((number, number),)), is_uid=is_uid),
            mailbox="Drafts",
            uploads=(Upload(flags=("\\Seen",)),),
        ),
    )


@pytest.mark.parametrize(
    "command", [b"REPLACE 0 x {2+}", b"REPLACE 1:2 x {2+}", b"REPLACE x {2+}", b"UID APPEND x {2+}", b"REPLACE 1 {2+}"]
)
def test_malformed(command: bytes) -> None:
    event = events_of(b"a " + command + b"\r\nhi\r\n")[-1]

    assert isinstance(event, SyntaxFault)
    assert event.tag == "a"


def test_one_message_for_one() -> None:
    """RFC 8508 §4.7: no MULTIAPPEND."""
    assert events_of(b"a REPLACE 1 x {2+}\r\nhi {2+}\r\nho\r\n")[-1] == SyntaxFault(
        tag="a", text="unexpected text after the message"
    )
