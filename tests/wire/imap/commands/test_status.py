"""STATUS. RFC 3501 §6.3.10."""

import pytest

from mailstack.wire.imap.commands.status import Status, StatusItem
from tests.support.imap_events import fault_of, request_of


def test_items_come_in_the_order_asked_and_once() -> None:
    assert request_of(b"STATUS blurdybloop (UIDNEXT messages UIDNEXT)") == Status(
        mailbox="blurdybloop", items=(StatusItem.UIDNEXT, StatusItem.MESSAGES)
    )


@pytest.mark.parametrize("command", [b"STATUS", b"STATUS x", b"STATUS x ()", b"STATUS x (FOO)", b"STATUS x UNSEEN"])
def test_malformed(command: bytes) -> None:
    assert fault_of(command)
