"""What is known of senders fades, and adds up however it comes."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstack.model.instant import DAY_MS, Instant
from mailstack.model.reputation import HALF_LIFE_MS, NO_COUNTS, Counts, log_odds, weight_at

NOW = Instant(1_795_000_000_000)
moments = st.integers(min_value=NOW - 3_650 * DAY_MS, max_value=NOW).map(Instant)
lessons = st.lists(st.tuples(moments, st.booleans()), max_size=30)


def total(said: list[tuple[Instant, bool]], *, sign: float = 1.0) -> Counts:
    found = NO_COUNTS
    for moment, is_spam in said:
        found += Counts(0.0, 1.0).times(sign * weight_at(moment)) if is_spam else Counts(weight_at(moment), 0.0)
    return found


def test_what_came_a_half_life_ago_counts_half() -> None:
    assert weight_at(Instant(NOW + HALF_LIFE_MS)) == 2 * weight_at(NOW)
    assert weight_at(Instant(1_767_225_600_000)) == 1.0


@pytest.mark.parametrize("moment", [0, -(10**18), 10**18])
def test_no_clock_is_too_far_out(moment: int) -> None:
    weight = weight_at(Instant(moment))
    assert 0 < weight < math.inf
    assert weight * 1_000_000 < math.inf
    assert 1 / weight < math.inf


@given(lessons, lessons)
def test_it_does_not_matter_who_adds_first(
    some: list[tuple[Instant, bool]], others: list[tuple[Instant, bool]]
) -> None:
    one, other = total(some) + total(others), total(others) + total(some)
    assert one == other
    assert math.isclose(total(some + others).spam, one.spam, abs_tol=1e-300)
    assert math.isclose(total(some + others).ham, one.ham, abs_tol=1e-300)


@given(moments, st.integers(min_value=0, max_value=3_650))
def test_one_mail_counts_for_less_each_day_and_for_one_when_it_comes(moment: Instant, days: int) -> None:
    later = Instant(moment + days * DAY_MS)
    left = weight_at(moment) / weight_at(later)
    assert math.isclose(left, 0.5 ** (days / 30))


def test_little_evidence_says_little() -> None:
    assert log_odds(NO_COUNTS) == 0.0
    assert log_odds(Counts(0.0, 1.0)) < 0.5
    assert log_odds(Counts(1.0, 1.0)) == 0.0


@given(st.floats(0, 1e9), st.floats(0, 1e9), st.floats(0, 1e9))
def test_more_junk_speaks_for_junk(ham: float, spam: float, more: float) -> None:
    odds = log_odds(Counts(ham, spam))
    assert log_odds(Counts(ham, spam + more)) >= odds >= log_odds(Counts(ham + more, spam))
    assert math.isclose(odds, -log_odds(Counts(spam, ham)), abs_tol=1e-9)
