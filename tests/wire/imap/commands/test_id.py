"""ID. RFC 2971."""

import pytest

from mailstack.wire.imap.commands.id import Id
from tests.support.imap_events import fault_of, request_of


@pytest.mark.parametrize(
    ("command", "fields"),
    [
        (b"ID NIL", ()),
        (b"ID ()", ()),
        (b'ID ("name" "x" "version" NIL)', (("name", "x"),)),
        (b'ID ("name" "x" "version" "1 (2)")', (("name", "x"), ("version", "1 (2)"))),
    ],
)
def test_id(command: bytes, fields: tuple[tuple[str, str], ...]) -> None:
    assert request_of(command) == Id(fields=fields)


@pytest.mark.parametrize(
    "command",
    [
        b"ID",
        b"ID foo",
        b'ID ("a")',
        b'ID ("a" "b"',
        b'ID ("' + b"n" * 31 + b'" "v")',
        b'ID ("n" "' + b"v" * 1025 + b'")',
        b"ID (" + b" ".join([b'"n" "v"'] * 31) + b")",
    ],
)
def test_malformed(command: bytes) -> None:
    assert fault_of(command)
