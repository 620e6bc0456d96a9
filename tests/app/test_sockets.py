"""Binding all of a spec's endpoints or none, with messages that name the port."""

import socket

import pytest

from mailstack.app.faults import CannotServe, PortBusy
from mailstack.app.sockets import Endpoint, bind, close_all, endpoints_of


def loopback(port: int, service: str = "smtp") -> Endpoint:
    return Endpoint(service=service, host="127.0.0.1", port=port)


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        (":25", {"0.0.0.0", "::"}),
        ("127.0.0.1:25", {"127.0.0.1"}),
        ("[2001:db8::1]:25", {"2001:db8::1"}),
    ],
)
def test_an_endpoint_without_a_host_is_every_address_of_both_families(text: str, hosts: set[str]) -> None:
    assert {endpoint.host for endpoint in endpoints_of({"smtp": (text,)})} == hosts


@pytest.mark.parametrize("text", ["25", "host", ":0", ":65536", "1.2.3.4:", "[::1]"])
def test_what_is_no_endpoint_is_refused_by_name(text: str) -> None:
    with pytest.raises(CannotServe, match=r"listeners\.imap"):
        endpoints_of({"imap": (text,)})


def test_a_busy_port_is_named_and_nothing_stays_bound(free_port: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        busy = other.getsockname()[1]
        with pytest.raises(PortBusy, match=rf"imap on 127\.0\.0\.1:{busy}"):
            bind([loopback(free_port), loopback(busy, "imap")], {})
    with socket.create_server(("127.0.0.1", free_port)):
        pass


def test_sockets_that_are_held_are_not_bound_again(free_port: int) -> None:
    held = bind([loopback(free_port)], {})
    try:
        assert bind([loopback(free_port)], held) == {}
    finally:
        close_all(held)


def test_an_address_of_another_machine_is_named() -> None:
    with pytest.raises(CannotServe, match=r"192\.0\.2\.1:2525: this machine has no such address"):
        bind([Endpoint(service="smtp", host="192.0.2.1", port=2525)], {})


def test_endpoints_read_as_people_write_them() -> None:
    assert str(Endpoint(service="smtp", host="::1", port=25)) == "[::1]:25"
