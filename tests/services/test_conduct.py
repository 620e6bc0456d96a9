"""Who is banned, as one worker knows it."""

import pytest

from mailstack.model.conduct import HALF_LIFE_MS, BanRules, Offence
from mailstack.model.instant import HOUR_MS
from mailstack.model.networks import networks_of
from mailstack.net.shared_marks import SharedMarks
from mailstack.services import conduct as conducting
from mailstack.services.conduct import Conduct
from tests.support.fake_clock import FakeClock

PEER = "192.0.2.1"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def conduct(clock: FakeClock) -> Conduct:
    made = Conduct(clock=clock)
    made.rules = BanRules(after=3, never=networks_of(("198.51.100.0/24", "127.0.0.0/8")))
    return made


def misbehave(conduct: Conduct, host: str, times: int = 3) -> None:
    for _ in range(times):
        conduct.note(host, Offence.UNKNOWN_RECIPIENT)


def test_who_did_enough_is_banned_at_once_and_for_an_hour(conduct: Conduct, clock: FakeClock) -> None:
    misbehave(conduct, PEER, 2)
    assert conduct.ban_of(PEER) is None
    misbehave(conduct, PEER, 1)
    found = conduct.ban_of(PEER)
    assert found is not None
    assert (found.reason, found.times) == ("unknown recipients", 1)
    assert conduct.unstored() == [found]
    clock.advance(HOUR_MS)
    assert conduct.ban_of(PEER) is None


def test_all_addresses_of_an_ipv6_subscriber_are_one(conduct: Conduct) -> None:
    for host in ("2001:db8::1", "2001:db8::2", "2001:db8::3"):
        misbehave(conduct, host, 1)
    assert conduct.ban_of("2001:db8::4") is not None
    assert conduct.ban_of("2001:db8:0:1::4") is None


def test_who_is_never_banned_is_not_even_by_hand(conduct: Conduct) -> None:
    misbehave(conduct, "198.51.100.7", 99)
    misbehave(conduct, "127.0.0.1", 99)
    misbehave(conduct, PEER)
    assert conduct.ban_of("198.51.100.7") is conduct.ban_of("127.0.0.1") is None
    conduct.rules = BanRules(never=networks_of((PEER,)))
    assert conduct.ban_of(PEER) is None


def test_nobody_is_banned_without_rules(conduct: Conduct) -> None:
    misbehave(conduct, PEER)
    conduct.rules = None
    assert conduct.ban_of(PEER) is None
    misbehave(conduct, "192.0.2.2")
    assert len(conduct.unstored()) == 1


def test_what_all_nodes_have_is_shown_beside_what_is_not_stored_yet(conduct: Conduct) -> None:
    misbehave(conduct, PEER)
    misbehave(conduct, "192.0.2.2")
    [first, second] = conduct.unstored()
    conduct.stored(first)
    conduct.show([first])
    assert conduct.ban_of(PEER) == first
    assert conduct.ban_of("192.0.2.2") == second
    conduct.show([])
    assert conduct.ban_of(PEER) is None
    assert conduct.ban_of("192.0.2.2") == second


def test_whoever_stores_bans_is_told_once_of_each(conduct: Conduct) -> None:
    told: list[None] = []
    conduct.on_ban = lambda: told.append(None)
    misbehave(conduct, PEER, 50)
    assert len(told) == 1


def test_memory_no_more_than_so_many_peers_are_remembered(conduct: Conduct, monkeypatch: pytest.MonkeyPatch) -> None:
    # maddy GHSA-f2p9-pvm4-fhrj: a limiter that is full must neither grow nor lock.
    monkeypatch.setattr(conducting, "PEERS_REMEMBERED", 100)
    for number in range(1_000):
        misbehave(conduct, f"10.0.{number >> 8}.{number & 255}", 1)
    assert len(conduct._records) == 100


def test_a_socket_that_is_gone_has_no_record(conduct: Conduct) -> None:
    misbehave(conduct, "", 99)
    assert conduct.ban_of("") is None


def test_memory_bans_that_cannot_be_stored_are_bounded(conduct: Conduct, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conducting, "PEERS_REMEMBERED", 100)
    for number in range(1_000):
        misbehave(conduct, f"10.0.{number >> 8}.{number & 255}", 50)
    assert len(conduct.unstored()) == 100
    assert conduct.ban_of("10.0.0.0") is None
    assert conduct.ban_of("10.0.3.231") is not None


def workers(clock: FakeClock, count: int = 2) -> list[Conduct]:
    marks, made = SharedMarks(count), [Conduct(clock=clock) for _ in range(count)]
    for number, each in enumerate(made):
        each.rules = BanRules(after=10)
        each.elsewhere = marks.of(number)
    return made


def test_what_is_done_to_several_workers_adds_up(clock: FakeClock) -> None:
    one, two = workers(clock)
    misbehave(one, PEER, 5)
    misbehave(two, "192.0.2.2", 9)
    misbehave(two, PEER, 4)
    assert two.ban_of(PEER) is None
    misbehave(two, PEER, 1)
    assert two.ban_of(PEER) is not None
    assert one.ban_of("192.0.2.2") is two.ban_of("192.0.2.2") is None


def test_what_other_workers_saw_is_forgiven_in_time_too(clock: FakeClock) -> None:
    one, two = workers(clock)
    misbehave(one, PEER, 8)
    clock.advance(2 * HALF_LIFE_MS)
    misbehave(two, PEER, 7)
    assert two.ban_of(PEER) is None
    misbehave(two, PEER, 1)
    assert two.ban_of(PEER) is not None


def test_a_clock_that_went_back_makes_nobody_worse(clock: FakeClock) -> None:
    one, two = workers(clock)
    misbehave(one, PEER, 5)
    clock.advance(-10 * HALF_LIFE_MS)
    misbehave(two, PEER, 1)
    assert two.ban_of(PEER) is None


def test_whoever_was_let_off_begins_anew_with_every_worker(clock: FakeClock) -> None:
    one, two = workers(clock)
    misbehave(one, PEER, 9)
    misbehave(two, PEER, 1)
    [ban] = two.unstored()
    two.stored(ban)
    for each in (one, two):
        each.show([ban])
        each.show([])
    misbehave(one, PEER, 9)
    assert one.ban_of(PEER) is None
    misbehave(two, PEER, 1)
    assert two.ban_of(PEER) is not None
