"""When the next push may go out. RFC 8620 §7.2: who says that it is too much gets less."""

from mailstack.model.instant import DAY_MS, HOUR_MS, SECOND_MS, Instant
from mailstack.model.push import PushProgress
from mailstack.model.states import AccountStates

REST_MS = SECOND_MS
"""Between two pushes to one device: what happens meanwhile is told together."""
FIRST_RETRY_MS = 30 * SECOND_MS
LONGEST_RETRY_MS = HOUR_MS
LONGEST_ASKED_MS = DAY_MS
"""However long a push service asks to be left alone."""
MOST_CODE_TRIES = 5
"""RFC 8620 §7.2: of who has not shown the code, nothing else is known than that somebody wants it asked."""


def after_taken(pushed: AccountStates, *, now: Instant) -> PushProgress:
    return PushProgress(pushed=pushed, failures=0, next_at=Instant(now + REST_MS))


def after_failure(progress: PushProgress, *, now: Instant, retry_after_s: float | None = None) -> PushProgress:
    failures = progress.failures + 1
    own_ms = min(FIRST_RETRY_MS << min(failures - 1, 32), LONGEST_RETRY_MS)
    asked_ms = min(round((retry_after_s or 0) * SECOND_MS), LONGEST_ASKED_MS)
    return PushProgress(pushed=progress.pushed, failures=failures, next_at=Instant(now + max(own_ms, asked_ms)))
