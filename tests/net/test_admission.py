"""Counting connections."""

from mailstack.net.admission import Admission


def test_each_peer_has_its_share_and_all_have_theirs() -> None:
    admission = Admission()
    assert [admission.admit("192.0.2.1", per_host=2, total=3) for _ in range(3)] == [True, True, False]
    assert [admission.admit("192.0.2.2", per_host=2, total=3) for _ in range(2)] == [True, False]
    admission.leave("192.0.2.1")
    assert admission.admit("192.0.2.2", per_host=2, total=3)


def test_ipv6_peers_are_counted_by_network() -> None:
    admission = Admission()
    assert admission.admit("2001:db8::1", per_host=2, total=3)
    assert admission.admit("2001:db8::2", per_host=2, total=3)
    assert not admission.admit("2001:db8::3", per_host=2, total=3)
    assert admission.admit("2001:db8:0:1::1", per_host=2, total=3)


def test_memory_nothing_is_kept_of_peers_that_left() -> None:
    admission = Admission()
    for number in range(1_000):
        host = f"10.0.{number >> 8}.{number & 255}"
        assert admission.admit(host, per_host=2, total=3)
        admission.leave(host)
    assert admission._open == {}
