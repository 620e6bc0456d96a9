"""Counting connections."""

from mailstack.model.networks import subscriber_of
from mailstack.net.admission import NEIGHBOURS, Admission, Entrance, Held, network_of
from tests.support.places import Peers


def stay() -> None:
    """For those who are never asked to end."""


def test_each_peer_has_its_share_and_all_have_theirs() -> None:
    admission = Admission()

    def admit(host: str) -> Held | None:
        return admission.admit(host, limit=2, total=3, part=stay)

    first, second, third = admit("192.0.2.1"), admit("192.0.2.1"), admit("192.0.2.1")
    assert first
    assert second
    assert third is None
    assert [admit("192.0.2.2") is not None for _ in range(2)] == [True, False]
    admission.leave(first)
    assert admit("192.0.2.2")


def test_the_newest_are_parted_with_once_and_the_oldest_live_on() -> None:
    peers = Peers(Admission(), limit=5)
    assert peers.admitted("192.0.2.1", 5) == 5
    assert peers.admission.part_with(" 192.0.2.1", 2, of=5) == 2
    assert peers.admission.part_with(" 192.0.2.1", 2, of=5) == 0  # while they are on their way
    assert peers.admission.part_with(" 192.0.2.1", 3, of=5) == 1
    assert peers.parted == [4, 3, 2]
    assert peers.admitted("192.0.2.1", 1) == 0
    assert peers.go() == 3
    assert peers.admitted("192.0.2.1", 5) == 3
    assert peers.admission.part_with("of nobody", 3, of=3) == 0


def test_who_has_left_meanwhile_is_not_parted_with_a_second_time() -> None:
    peers = Peers(Admission(), limit=5)
    assert peers.admitted("192.0.2.1", 5) == 5
    peers.leave()
    assert peers.admission.part_with(" 192.0.2.1", 2, of=5) == 1


def test_a_crowd_that_grows_or_has_parted_with_some_is_told_of() -> None:
    peers, calls = Peers(Admission(), limit=20), []
    peers.admission.on_crowd = lambda: calls.append(1)
    assert peers.admitted("192.0.2.1", 2) == 2
    assert calls == []
    assert peers.admitted("192.0.2.1", 1) == 1
    peers.leave()
    assert calls == [1]
    peers.admission.part_with(" 192.0.2.1", 1, of=2)
    peers.go()
    assert calls == [1, 1]


def test_ipv6_peers_are_counted_by_network() -> None:
    subscribers = [subscriber_of(f"2001:db8::{number}") for number in (1, 2, "ffff")]
    assert len({*subscribers}) == 1
    assert subscriber_of("2001:db8:0:1::1") not in subscribers
    assert subscriber_of("192.0.2.1") != subscriber_of("192.0.2.2")


def test_addresses_of_one_network_are_told_from_those_of_others() -> None:
    assert network_of("192.0.2.1") == network_of("192.0.2.255") != network_of("192.0.3.1")
    assert network_of("2001:db8::1") == network_of("2001:db8:0:ffff::1") != network_of("2001:db8:1::1")


def test_all_addresses_of_a_network_have_no_more_than_a_few_addresses_shares() -> None:
    entrance = Entrance()
    places = [entrance.place(stay) for _ in range(NEIGHBOURS * 2 + 1)]
    taken = [place.take_as_stranger(f"192.0.2.{at}", limit=2, total=100) for at, place in enumerate(places)]
    assert taken == [True] * NEIGHBOURS * 2 + [False]
    assert entrance.place(stay).take_as_stranger("198.51.100.1", limit=2, total=100)
    places[0].leave()
    assert places[-1].take_as_stranger("192.0.2.200", limit=2, total=100)


def test_memory_nothing_is_kept_of_networks_that_left_or_were_refused() -> None:
    entrance = Entrance()
    places = [entrance.place(stay) for _ in range(3)]
    assert [place.take_as_stranger("2001:db8::1", limit=1, total=9) for place in places] == [True, False, False]
    assert places[0].take_as_account("alice", limit=1)
    assert entrance.networks._open == {}


def test_memory_nothing_is_kept_of_peers_that_left() -> None:
    admission = Admission()
    for number in range(1_000):
        host = f"10.0.{number >> 8}.{number & 255}"
        held = admission.admit(host, limit=2, total=3, part=stay)
        assert held
        admission.leave(held)
    assert admission._open == {}


def test_who_has_logged_in_counts_for_the_account_and_no_longer_for_the_address() -> None:
    entrance = Entrance()
    for number in range(5):
        place = entrance.place(stay)
        assert place.take_as_stranger("192.0.2.1", limit=1, total=10)
        assert place.take_as_account(f"account {number}", limit=1)
    assert entrance.place(stay).take_as_stranger("192.0.2.1", limit=1, total=10)
    assert not entrance.place(stay).take_as_stranger("192.0.2.1", limit=1, total=10)


def test_one_connection_too_many_of_an_account_stays_a_stranger_and_may_try_again() -> None:
    entrance = Entrance()
    first, second = entrance.place(stay), entrance.place(stay)
    assert all(place.take_as_stranger("192.0.2.1", limit=2, total=10) for place in (first, second))
    assert first.take_as_account("alice", limit=1)
    assert not second.take_as_account("alice", limit=1)
    assert entrance.strangers._open.keys() == {" 192.0.2.1"}
    first.leave()
    assert second.take_as_account("alice", limit=1)
    second.leave()
    assert entrance.strangers._open == entrance.accounts._open == {}


def test_a_login_anew_on_the_same_connection_needs_no_second_place() -> None:
    place = Entrance().place(stay)
    assert place.take_as_stranger("192.0.2.1", limit=1, total=1)
    assert place.take_as_account("alice", limit=1)
    assert place.take_as_account("alice", limit=1)
    assert place.take_as_account("bob", limit=1)
    place.leave()
    place.leave()
