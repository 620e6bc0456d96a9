"""LIST, extended. RFC 5258 §6, RFC 5819 §4, RFC 8440 §5, RFC 9590 §6."""

import pytest

from mailstack.wire.imap.commands.list import MAX_PATTERNS, List, ReturnOption, SelectionOption
from mailstack.wire.imap.commands.status import StatusItem
from tests.support.imap_events import fault_of, request_of


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (
            b'LIST (SUBSCRIBED) "" "*"',
            List(reference="", patterns=("*",), is_extended=True, selection=frozenset({SelectionOption.SUBSCRIBED})),
        ),
        (
            b'LIST () "" "%" RETURN (CHILDREN)',
            List(reference="", patterns=("%",), is_extended=True, returned=frozenset({ReturnOption.CHILDREN})),
        ),
        (
            b'LIST "" ("INBOX" "Drafts" "Sent/%")',
            List(reference="", patterns=("INBOX", "Drafts", "Sent/%"), is_extended=True),
        ),
        (
            b'list (recursivematch special-use) "" % return (subscribed special-use myrights)',
            List(
                reference="",
                patterns=("%",),
                is_extended=True,
                selection=frozenset({SelectionOption.RECURSIVEMATCH, SelectionOption.SPECIAL_USE}),
                returned=frozenset({ReturnOption.SUBSCRIBED, ReturnOption.SPECIAL_USE, ReturnOption.MYRIGHTS}),
            ),
        ),
        (
            b'LIST "" % RETURN (STATUS (MESSAGES UNSEEN) METADATA (/Shared/Comment))',
            List(
                reference="",
                patterns=("%",),
                is_extended=True,
                status_items=(StatusItem.MESSAGES, StatusItem.UNSEEN),
                entries=("/shared/comment",),
            ),
        ),
        (b'LIST "" % RETURN ()', List(reference="", patterns=("%",), is_extended=True)),
    ],
)
def test_extended(command: bytes, expected: List) -> None:
    assert request_of(command) == expected


@pytest.mark.parametrize(
    "command",
    [
        b'LIST (RECURSIVEMATCH) "" *',
        b'LIST (RECURSIVEMATCH REMOTE) "" *',
        b'LIST (NONSENSE) "" *',
        b'LIST "" (a b',
        b'LIST "" * RETURN',
        b'LIST "" * RETURN CHILDREN',
        b'LIST "" * RETURN (NONSENSE)',
        b'LIST "" * RETURN (STATUS)',
        b'LIST "" * RETURN (STATUS ())',
        b'LIST "" * RETURN (METADATA (comment))',
        b'LIST "" (' + b" ".join([b"a"] * (MAX_PATTERNS + 1)) + b")",
    ],
)
def test_malformed(command: bytes) -> None:
    assert fault_of(command)
