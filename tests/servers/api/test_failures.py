"""Counting of wrong tokens is bounded in time and in memory."""

from mailstack.model.instant import MINUTE_MS, SECOND_MS
from mailstack.servers.api.failures import MOST, REMEMBERED, Failures
from tests.support.fake_clock import FakeClock


def test_the_wait_grows_shorter_and_ends() -> None:
    clock = FakeClock()
    failures = Failures(clock)
    for _ in range(MOST):
        assert failures.wait_s("203.0.113.7") == 0
        failures.note("203.0.113.7")
    assert failures.wait_s("203.0.113.7") == 60
    clock.advance(59 * SECOND_MS)
    assert failures.wait_s("203.0.113.7") == 1
    clock.advance(MINUTE_MS)
    assert failures.wait_s("203.0.113.7") == 0


def test_a_clock_that_is_put_back_locks_nobody_out_for_longer() -> None:
    clock = FakeClock()
    failures = Failures(clock)
    for _ in range(MOST):
        failures.note("203.0.113.7")
    clock.advance(-60 * MINUTE_MS)
    assert failures.wait_s("203.0.113.7") == 0
    failures.note("203.0.113.7")
    assert failures.wait_s("203.0.113.7") == 0


def test_however_many_addresses_fail_only_some_are_remembered() -> None:
    failures = Failures(FakeClock())
    for number in range(REMEMBERED + 100):
        failures.note(f"10.{number >> 16}.{(number >> 8) & 255}.{number & 255}")
    assert len(failures._counts) == REMEMBERED
    assert "10.0.0.0" not in failures._counts
