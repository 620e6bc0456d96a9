"""Counting connections."""

from mailstack.net.admission import Admission, Entrance, network_of


def test_each_peer_has_its_share_and_all_have_theirs() -> None:
    admission = Admission()
    assert [admission.admit("192.0.2.1", limit=2, total=3) for _ in range(3)] == [True, True, False]
    assert [admission.admit("192.0.2.2", limit=2, total=3) for _ in range(2)] == [True, False]
    admission.leave("192.0.2.1")
    assert admission.admit("192.0.2.2", limit=2, total=3)


def test_ipv6_peers_are_counted_by_network() -> None:
    networks = [network_of(f"2001:db8::{number}") for number in (1, 2, "ffff")]
    assert len({*networks}) == 1
    assert network_of("2001:db8:0:1::1") not in networks
    assert network_of("192.0.2.1") != network_of("192.0.2.2")


def test_memory_nothing_is_kept_of_peers_that_left() -> None:
    admission = Admission()
    for number in range(1_000):
        host = f"10.0.{number >> 8}.{number & 255}"
        assert admission.admit(host, limit=2, total=3)
        admission.leave(host)
    assert admission._open == {}


def test_who_has_logged_in_counts_for_the_account_and_no_longer_for_the_address() -> None:
    entrance = Entrance()
    for number in range(5):
        place = entrance.place()
        assert place.take_as_stranger("192.0.2.1", limit=1, total=10)
        assert place.take_as_account(f"account {number}", limit=1)
    assert entrance.place().take_as_stranger("192.0.2.1", limit=1, total=10)
    assert not entrance.place().take_as_stranger("192.0.2.1", limit=1, total=10)


def test_one_connection_too_many_of_an_account_stays_a_stranger_and_may_try_again() -> None:
    entrance = Entrance()
    first, second = entrance.place(), entrance.place()
    assert all(place.take_as_stranger("192.0.2.1", limit=2, total=10) for place in (first, second))
    assert first.take_as_account("alice", limit=1)
    assert not second.take_as_account("alice", limit=1)
    assert entrance.strangers._open == {" 192.0.2.1": 1}
    first.leave()
    assert second.take_as_account("alice", limit=1)
    second.leave()
    assert entrance.strangers._open == entrance.accounts._open == {}


def test_a_login_anew_on_the_same_connection_needs_no_second_place() -> None:
    place = Entrance().place()
    assert place.take_as_stranger("192.0.2.1", limit=1, total=1)
    assert place.take_as_account("alice", limit=1)
    assert place.take_as_account("alice", limit=1)
    assert place.take_as_account("bob", limit=1)
    place.leave()
    place.leave()
