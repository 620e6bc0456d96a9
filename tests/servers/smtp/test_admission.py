"""Counting connections."""

from mailstack.servers.smtp.admission import Admission
from mailstack.servers.smtp.limits import Limits

LIMITS = Limits(connections_per_ip=2, connections=3)


def test_each_peer_has_its_share_and_all_have_theirs() -> None:
    admission = Admission()
    assert [admission.admit("192.0.2.1", LIMITS) for _ in range(3)] == [True, True, False]
    assert [admission.admit("192.0.2.2", LIMITS) for _ in range(2)] == [True, False]
    admission.leave("192.0.2.1")
    assert admission.admit("192.0.2.2", LIMITS)


def test_ipv6_peers_are_counted_by_network() -> None:
    admission = Admission()
    assert admission.admit("2001:db8::1", LIMITS)
    assert admission.admit("2001:db8::2", LIMITS)
    assert not admission.admit("2001:db8::3", LIMITS)
    assert admission.admit("2001:db8:0:1::1", LIMITS)


def test_memory_nothing_is_kept_of_peers_that_left() -> None:
    admission = Admission()
    for number in range(1_000):
        host = f"10.0.{number >> 8}.{number & 255}"
        assert admission.admit(host, LIMITS)
        admission.leave(host)
    assert admission._open == {}
