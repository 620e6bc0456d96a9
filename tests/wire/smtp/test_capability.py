"""EHLO replies: what they offer."""

import pytest

from mailstack.wire.smtp.capability import NO_CAPABILITIES, Capabilities, parse_capabilities


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["mx.example greets you"], NO_CAPABILITIES),
        (["SIZE 10"], NO_CAPABILITIES),  # RFC 5321 §4.1.1.1: the first line is the greeting, whatever it says
        (["x", "SIZE 52428800"], Capabilities(size_bytes=52428800)),
        (["x", "SIZE 0"], NO_CAPABILITIES),  # RFC 1870 §4: no fixed maximum
        (["x", "SIZE"], NO_CAPABILITIES),
        (["x", "SIZE -1"], NO_CAPABILITIES),
        (["x", "SIZE ²"], NO_CAPABILITIES),
        (["x", "SIZE " + "9" * 5000], NO_CAPABILITIES),
        (["x", "starttls", "Pipelining"], Capabilities(has_starttls=True, has_pipelining=True)),
        (["x", "8BITMIME", "SMTPUTF8"], Capabilities(has_8bitmime=True, has_smtp_utf8=True)),
        (["x", "dsn"], Capabilities(has_dsn=True)),
        (["x", "CHUNKING"], Capabilities(has_chunking=True)),
        (["x", "BINARYMIME", "CHUNKING"], Capabilities(has_chunking=True, has_binarymime=True)),
        (["x", "BINARYMIME"], NO_CAPABILITIES),  # RFC 3030 §3
        (["x", "REQUIRETLS"], Capabilities(has_requiretls=True)),
        (["x", "AUTH PLAIN login"], Capabilities(auth=frozenset({"PLAIN", "LOGIN"}))),  # RFC 4954 §3
        (["x", "AUTH=LOGIN PLAIN"], Capabilities(auth=frozenset({"PLAIN", "LOGIN"}))),
        (["x", "AUTH", "AUTH="], NO_CAPABILITIES),
        (["x", "AUTHX PLAIN", "", "XCLIENT NAME"], NO_CAPABILITIES),
    ],
)
def test_capabilities(lines: list[str], expected: Capabilities) -> None:
    assert expected == parse_capabilities(lines)
