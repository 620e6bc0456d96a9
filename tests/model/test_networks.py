"""The address of a client, however its socket writes it."""

from ipaddress import ip_address

import pytest

from mailstack.model.networks import address_of


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("a.example", None),
        ("", None),
    ],
)
def test_the_address_of_a_client(host: str, address: str | None) -> None:
    assert address_of(host) == (ip_address(address) if address else None)
