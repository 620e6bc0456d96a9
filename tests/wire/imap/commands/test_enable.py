"""ENABLE. RFC 5161."""

import pytest

from mailstack.wire.imap.commands.enable import Enable
from tests.support.imap_events import fault_of, request_of


def test_enable() -> None:
    assert request_of(b"ENABLE condstore X-GOOD-IDEA") == Enable(capabilities=("CONDSTORE", "X-GOOD-IDEA"))


@pytest.mark.parametrize("command", [b"ENABLE", b"ENABLE ", b"ENABLE a  b"])
def test_malformed(command: bytes) -> None:
    assert fault_of(command)
