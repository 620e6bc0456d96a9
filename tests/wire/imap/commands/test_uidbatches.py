"""UIDBATCHES. RFC 10022."""

import pytest

from mailstack.wire.imap.commands.uidbatches import UidBatches
from tests.support.imap_events import fault_of, request_of


@pytest.mark.parametrize(
    ("command", "request_"),
    [
        (b"UIDBATCHES 2000", UidBatches(size=2000)),
        (b"uidbatches 2000 10:20", UidBatches(size=2000, first=10, last=20)),
    ],
)
def test_command(command: bytes, request_: UidBatches) -> None:
    assert request_of(command) == request_


@pytest.mark.parametrize(
    "command",
    [
        b"UIDBATCHES",
        b"UIDBATCHES 0",
        b"UIDBATCHES a",
        b"UIDBATCHES 500 10",
        b"UIDBATCHES 500 2:1",
        b"UIDBATCHES 500 0:1",
    ],
)
def test_malformed(command: bytes) -> None:
    assert fault_of(command)
