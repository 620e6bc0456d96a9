"""What does not answer is left alone for a minute, and the log says so once."""

import structlog

from mailstack.model.instant import MINUTE_MS, Instant
from mailstack.services.spam.breaker import FAILURES, Breaker, Rest
from tests.support.fake_clock import FakeClock


def fail(breaker: Breaker, times: int) -> None:
    for _ in range(times):
        breaker.failed("timed out")


def test_failures_in_a_row_let_it_rest_for_a_minute() -> None:
    clock = FakeClock()
    breaker = Breaker("rspamd", clock=clock)
    fail(breaker, FAILURES - 1)
    assert not breaker.is_open
    assert breaker.rests == ()
    fail(breaker, 1)
    assert breaker.is_open
    assert breaker.rests == (Rest(name="rspamd", reason="timed out", until=Instant(clock() + MINUTE_MS)),)
    clock.advance(MINUTE_MS)
    assert not breaker.is_open
    assert breaker.rests == ()


def test_an_answer_between_them_begins_the_count_anew() -> None:
    breaker = Breaker("rspamd", clock=FakeClock())
    fail(breaker, FAILURES - 1)
    breaker.answered()
    fail(breaker, FAILURES - 1)
    assert not breaker.is_open


def test_after_its_rest_one_failure_is_enough() -> None:
    clock = FakeClock()
    breaker = Breaker("rspamd", clock=clock)
    fail(breaker, FAILURES)
    clock.advance(MINUTE_MS)
    fail(breaker, 1)
    assert breaker.is_open


def test_a_rest_and_its_end_are_logged_once() -> None:
    clock = FakeClock()
    breaker = Breaker("rspamd", clock=clock)
    with structlog.testing.capture_logs() as logged:
        fail(breaker, FAILURES + 5)
        clock.advance(MINUTE_MS)
        breaker.answered()
        breaker.answered()
    assert [(event["event"], event["name"]) for event in logged] == [
        ("does not answer, and is not asked for spam for a while", "rspamd"),
        ("answers again, and is asked for spam", "rspamd"),
    ]
