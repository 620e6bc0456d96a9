"""The address of a client, however its socket writes it."""

from ipaddress import ip_address

import pytest

from mailstack.model.networks import address_of, is_near


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


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "10.1.2.3", "::ffff:192.168.1.1", "fe80::1%eth0", "fd00::1"])
def test_who_is_near(host: str) -> None:
    assert is_near(host)


@pytest.mark.parametrize("host", ["203.0.113.7", "2001:db8::1", "172.32.0.1", "printer", ""])
def test_who_is_not(host: str) -> None:
    assert not is_near(host)
