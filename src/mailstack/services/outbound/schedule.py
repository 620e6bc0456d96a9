"""When queued mail is tried again, when its sender hears of a delay, when it comes back. Pure. RFC 5321 §4.5.4.1."""

from dataclasses import dataclass

from mailstack.model.delivery import QueueItem
from mailstack.model.instant import DAY_MS, HOUR_MS, MINUTE_MS, Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Milliseconds. first_wait_ms: after the first attempt; each later wait is double, up to longest_wait_ms."""

    first_wait_ms: int = 30 * MINUTE_MS
    longest_wait_ms: int = 8 * HOUR_MS
    lifetime_ms: int = 5 * DAY_MS
    delay_notice_ms: int = 4 * HOUR_MS


def next_attempt(schedule: Schedule, *, tries: int, queued_at: Instant, now: Instant) -> Instant | None:
    """When to try again, or None once the queue lifetime has passed.

    tries: attempts made, >= 1. RFC 5321 §4.5.4.1: at least 30 min between tries, give up after 4-5 days.
    """
    end = expires_at(schedule, queued_at)
    if now >= end:
        return None
    # One last attempt at the very end, rather than giving up hours before it.
    return min(Instant(now + _wait_ms(schedule, tries)), end)


def expires_at(schedule: Schedule, queued_at: Instant) -> Instant:
    return Instant(queued_at + schedule.lifetime_ms)


def is_delay_notice_due(schedule: Schedule, item: QueueItem, now: Instant) -> bool:
    """True for the one attempt that is the first past the delay. item: as it was before this attempt."""
    threshold = item.queued_at + schedule.delay_notice_ms
    before = item.next_at - _wait_ms(schedule, item.tries) if item.tries else item.queued_at
    return before < threshold <= now


def _wait_ms(schedule: Schedule, tries: int) -> int:
    doublings = min(tries - 1, 32)  # the cap is reached long before; no huge numbers for huge counts
    return min(schedule.first_wait_ms << doublings, schedule.longest_wait_ms)
