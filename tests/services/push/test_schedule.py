"""When the next push may go out."""

import pytest

from mailstack.model.ids import AccountId
from mailstack.model.instant import DAY_MS, HOUR_MS, Instant
from mailstack.model.push import PushProgress
from mailstack.model.states import StateType
from mailstack.services.push.schedule import REST_MS, after_failure, after_taken

NOW = Instant(1_000_000)
PUSHED = {AccountId("a" * 16): {StateType.EMAIL: "7"}}


def test_what_was_taken_is_followed_by_a_rest() -> None:
    expected = PushProgress(pushed=PUSHED, failures=0, next_at=Instant(NOW + REST_MS))
    assert after_taken(PUSHED, now=NOW) == expected


@pytest.mark.parametrize(
    ("failures", "retry_after_s", "wait_ms"),
    [
        (0, None, 30_000),
        (1, None, 60_000),
        (2, None, 120_000),
        (7, None, HOUR_MS),
        (10_000, None, HOUR_MS),
        (0, 0.0, 30_000),
        (0, 5.0, 30_000),
        (0, 600.0, 600_000),
        (0, 1e9, DAY_MS),
        (9, 7200.0, 2 * HOUR_MS),
    ],
)
def test_what_failed_waits_longer_each_time_and_as_long_as_was_asked_for(
    failures: int, retry_after_s: float | None, wait_ms: int
) -> None:
    before = PushProgress(pushed=PUSHED, failures=failures, next_at=Instant(0))
    expected = PushProgress(pushed=PUSHED, failures=failures + 1, next_at=Instant(NOW + wait_ms))
    assert after_failure(before, now=NOW, retry_after_s=retry_after_s) == expected
