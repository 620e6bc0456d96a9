"""GETMETADATA and SETMETADATA. RFC 5464 §4, §5."""

import pytest

from mailstack.wire.imap.commands.getmetadata import INFINITE, MAX_ENTRIES, GetMetadata
from mailstack.wire.imap.commands.setmetadata import SetMetadata
from mailstack.wire.imap.commands.table import Request
from mailstack.wire.imap.events import Command, NeedContinuation
from tests.support.imap_events import events_of, fault_of, request_of


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (b'GETMETADATA "" /shared/comment', GetMetadata(mailbox="", entries=("/shared/comment",))),
        (
            b'GETMETADATA "INBOX" (/shared/Comment /private/comment)',
            GetMetadata(mailbox="INBOX", entries=("/shared/comment", "/private/comment")),
        ),
        (
            b'GETMETADATA "INBOX" (MAXSIZE 1024) (/shared/comment)',
            GetMetadata(mailbox="INBOX", entries=("/shared/comment",), max_size=1024),
        ),
        (
            b'GETMETADATA (DEPTH 1 MAXSIZE 10) "INBOX" /private/filters',
            GetMetadata(mailbox="INBOX", entries=("/private/filters",), depth=1, max_size=10),
        ),
        (
            b'GETMETADATA (DEPTH infinity) "INBOX" "/private/filters"',
            GetMetadata(mailbox="INBOX", entries=("/private/filters",), depth=INFINITE),
        ),
        (
            b'SETMETADATA INBOX (/private/comment "My comment" /shared/x NIL)',
            SetMetadata(mailbox="INBOX", entries=(("/private/comment", b"My comment"), ("/shared/x", None))),
        ),
    ],
)
def test_command(command: bytes, expected: Request) -> None:
    assert request_of(command) == expected


def test_values_come_as_literals_of_any_octets() -> None:
    literal, request = events_of(b"a SETMETADATA x (/private/c ~{3}\r\na\0b)\r\n")
    assert literal == NeedContinuation()
    assert request == Command(tag="a", request=SetMetadata(mailbox="x", entries=(("/private/c", b"a\0b"),)))


@pytest.mark.parametrize(
    "command",
    [
        b"GETMETADATA",
        b'GETMETADATA ""',
        b"GETMETADATA x comment",
        b"GETMETADATA x /shared//comment",
        b"GETMETADATA x /shared/comment/",
        b'GETMETADATA x "/shared/*"',
        b"GETMETADATA x (DEPTH 2) /shared/comment",
        b"GETMETADATA x (NONSENSE 2) /shared/comment",
        b"GETMETADATA x ()",
        b"GETMETADATA x (" + b" ".join([b"/a"] * (MAX_ENTRIES + 1)) + b")",
        b"SETMETADATA x",
        b"SETMETADATA x ()",
        b"SETMETADATA x (/private/comment)",
        b"SETMETADATA x (/private/comment atom)",
    ],
)
def test_malformed(command: bytes) -> None:
    assert fault_of(command)
