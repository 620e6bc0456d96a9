"""Names of hosts with a wildcard, and without. RFC 6125 §6.4.3, RFC 8461 §4.1."""

import pytest

from mailstack.model.host_pattern import covers


@pytest.mark.parametrize(
    ("pattern", "host"),
    [
        ("mx.example.com", "mx.example.com"),
        ("MX.Example.COM", "mx.example.com"),
        ("*.example.com", "mx.example.com"),
        ("*.EXAMPLE.com", "mx.example.com"),
    ],
)
def test_it_covers_the_host(pattern: str, host: str) -> None:
    assert covers(pattern, host)


@pytest.mark.parametrize(
    ("pattern", "host"),
    [
        ("mx.example.com", "mx2.example.com"),
        ("*.example.com", "example.com"),  # one label, not none
        ("*.example.com", "a.mx.example.com"),  # and not two
        ("*.example.com", ".example.com"),
        ("m*.example.com", "mx.example.com"),  # only a whole label
        ("mx.*.com", "mx.example.com"),  # only the first
        ("*", "localhost"),
        ("*.", "localhost"),
        ("", "mx.example.com"),
    ],
)
def test_it_does_not(pattern: str, host: str) -> None:
    assert not covers(pattern, host)
