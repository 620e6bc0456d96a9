"""AUTHENTICATE. RFC 9051 §6.2.2, RFC 4959."""

import pytest

from mailstack.wire.imap.commands.authenticate import Authenticate
from tests.support.imap_events import fault_of, request_of


@pytest.mark.parametrize(
    ("command", "mechanism", "initial"),
    [
        (b"AUTHENTICATE PLAIN", "PLAIN", None),
        (b"AUTHENTICATE plain AGEAYg==", "PLAIN", b"AGEAYg=="),
        (b"AUTHENTICATE PLAIN =", "PLAIN", b"="),
        (b"AUTHENTICATE SCRAM-SHA-256", "SCRAM-SHA-256", None),
    ],
)
def test_authenticate(command: bytes, mechanism: str, initial: bytes | None) -> None:
    assert request_of(command) == Authenticate(mechanism=mechanism, initial=initial)


@pytest.mark.parametrize("command", [b"AUTHENTICATE", b"AUTHENTICATE PLAIN !", b"AUTHENTICATE PLAIN a b"])
def test_malformed(command: bytes) -> None:
    assert fault_of(command)


def test_the_response_stays_out_of_the_repr() -> None:
    assert "AGEAYg" not in repr(request_of(b"AUTHENTICATE PLAIN AGEAYg=="))
