"""When queued mail is tried again, when its sender hears of a delay, when it comes back. Pure. RFC 5321 §4.5.4.1."""

from dataclasses import dataclass

from mailstack.model.delivery import QueueItem
from mailstack.model.instant import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Milliseconds. first_wait_ms: after the first attempt; each later wait is double, up to longest_wait_ms.

    own_waits_ms: where it is our own store that could not take the mail, after each attempt; the last goes on for good.
    """

    first_wait_ms: int = 30 * MINUTE_MS
    longest_wait_ms: int = 8 * HOUR_MS
    own_waits_ms: tuple[int, ...] = (
        5 * SECOND_MS,
        15 * SECOND_MS,
        MINUTE_MS,
        2 * MINUTE_MS,
        5 * MINUTE_MS,
        15 * MINUTE_MS,
    )
    lifetime_ms: int = 5 * DAY_MS
    delay_notice_ms: int = 4 * HOUR_MS


def next_attempt(
    schedule: Schedule, *, tries: int, queued_at: Instant, now: Instant, is_own_fault: bool = False
) -> Instant | None:
    """When to try again, or None once the queue lifetime has passed.

    tries: attempts made, >= 1. is_own_fault: our store's, not another host's.
    RFC 5321 §4.5.4.1: at least 30 min between tries at a host, give up after 4-5 days.
    """
    end = expires_at(schedule, queued_at)
    if now >= end:
        return None
    # One last attempt at the very end, rather than giving up hours before it.
    return min(Instant(now + _wait_ms(schedule, tries, is_own_fault=is_own_fault)), end)


def expires_at(schedule: Schedule, queued_at: Instant) -> Instant:
    return Instant(queued_at + schedule.lifetime_ms)


def is_delay_notice_due(schedule: Schedule, item: QueueItem, now: Instant, *, is_own_fault: bool = False) -> bool:
    """True for the one attempt that is the first past the delay. item: as it was before this attempt."""
    threshold = item.queued_at + schedule.delay_notice_ms
    before = item.queued_at
    if item.tries:
        before = Instant(item.next_at - _wait_ms(schedule, item.tries, is_own_fault=is_own_fault))
    return before < threshold <= now


def _wait_ms(schedule: Schedule, tries: int, *, is_own_fault: bool) -> int:
    if is_own_fault:
        return schedule.own_waits_ms[min(tries, len(schedule.own_waits_ms)) - 1]
    doublings = min(tries - 1, 32)  # the cap is reached long before; no huge numbers for huge counts
    return min(schedule.first_wait_ms << doublings, schedule.longest_wait_ms)
