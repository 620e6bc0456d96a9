"""Who has to come again, and for how long that is remembered. RFC 6647."""

import pytest

from mailstack.model.greylist import (
    DELAY_MS,
    KEPT_MS,
    PASSES_TO_BE_KNOWN,
    WINDOW_MS,
    GreyEntry,
    Verdict,
    judge,
    network_of,
)
from mailstack.model.instant import DAY_MS, Instant

NOW = Instant(1_800_000_000_000)
NEW = GreyEntry(first_at=NOW, until=Instant(NOW + WINDOW_MS))


def later(ms: int) -> Instant:
    return Instant(NOW + ms)


def test_who_is_not_known_is_asked_to_wait_and_remembered_for_a_day() -> None:
    assert judge(None, None, NOW) == Verdict(wait_ms=DELAY_MS, triplet=NEW)


def test_who_comes_too_early_waits_for_the_rest_and_no_longer() -> None:
    assert judge(NEW, None, later(DELAY_MS - 1)) == Verdict(wait_ms=1)
    assert judge(NEW, None, later(-DAY_MS)) == Verdict(wait_ms=DELAY_MS)


def test_who_comes_again_in_time_is_let_through_and_kept_for_weeks() -> None:
    now = later(DELAY_MS)
    passed = GreyEntry(first_at=NOW, until=Instant(now + KEPT_MS), passes=1)
    network = GreyEntry(first_at=now, until=Instant(now + KEPT_MS), passes=1)
    assert judge(NEW, None, now) == Verdict(wait_ms=0, triplet=passed, network=network)


def test_a_second_mail_of_a_triplet_says_nothing_new_of_its_network() -> None:
    passed = GreyEntry(first_at=NOW, until=later(KEPT_MS), passes=1)
    found = judge(passed, None, later(DAY_MS))
    assert (found.wait_ms, found.network) == (0, None)
    assert found.triplet == GreyEntry(first_at=NOW, until=later(DAY_MS + KEPT_MS), passes=2)


def test_a_network_that_came_again_often_enough_is_asked_no_more_and_written_once_a_day() -> None:
    known = GreyEntry(first_at=NOW, until=later(KEPT_MS), passes=PASSES_TO_BE_KNOWN)
    assert judge(None, known, later(DAY_MS)) == Verdict(wait_ms=0)
    renewed = judge(None, known, later(DAY_MS + 1))
    assert renewed.network == GreyEntry(first_at=NOW, until=later(DAY_MS + 1 + KEPT_MS), passes=PASSES_TO_BE_KNOWN + 1)


@pytest.mark.parametrize(
    ("host", "network"),
    [("192.0.2.77", "192.0.2.0/24"), ("2001:db8:0:7:1::9", "2001:db8:0:7::/64")],
)
def test_machines_of_one_network_are_one_sender(host: str, network: str) -> None:
    assert network_of(host) == network
