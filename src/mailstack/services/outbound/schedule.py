"""When queued mail is tried again, when its sender hears of a delay, when it comes back. Pure. RFC 5321 §4.5.4.1."""

from dataclasses import dataclass

from mailstack.model.delivery import QueueItem
from mailstack.model.instant import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Milliseconds. waits_ms: after each attempt; the last goes on for good. own_waits_ms: the same where it is our own
    store that could not take the mail, or our own primary. delay_notice_ms: None: none is sent."""

    waits_ms: tuple[int, ...] = (30 * MINUTE_MS, HOUR_MS, 2 * HOUR_MS, 4 * HOUR_MS, 8 * HOUR_MS)
    own_waits_ms: tuple[int, ...] = (
        5 * SECOND_MS,
        15 * SECOND_MS,
        MINUTE_MS,
        2 * MINUTE_MS,
        5 * MINUTE_MS,
        15 * MINUTE_MS,
    )
    lifetime_ms: int = 5 * DAY_MS
    delay_notice_ms: int | None = 4 * HOUR_MS


def next_attempt(
    schedule: Schedule, *, tries: int, queued_at: Instant, now: Instant, is_own_fault: bool = False
) -> Instant | None:
    """When to try again, or None once the queue lifetime has passed.

    tries: attempts made, >= 1. is_own_fault: our side's, not a stranger's.
    RFC 5321 §4.5.4.1: at least 30 min between tries at a host, give up after 4-5 days; the spec may say otherwise.
    """
    end = expires_at(schedule, queued_at)
    if now >= end:
        return None
    # One last attempt at the very end, rather than giving up hours before it.
    return min(Instant(now + _wait_ms(schedule, tries, is_own_fault=is_own_fault)), end)


def expires_at(schedule: Schedule, queued_at: Instant) -> Instant:
    return Instant(queued_at + schedule.lifetime_ms)


def is_delay_notice_due(schedule: Schedule, item: QueueItem, now: Instant) -> bool:
    """item: as it was before this attempt."""
    told_at = _told_at(schedule, item)
    return told_at is not None and told_at <= now


def next_word(schedule: Schedule, item: QueueItem, now: Instant) -> Instant:
    """When the sender of mail that is not tried is next told something: that it is late, or that it is over."""
    end, told_at = expires_at(schedule, item.queued_at), _told_at(schedule, item)
    return end if told_at is None or told_at <= now else min(told_at, end)


def _told_at(schedule: Schedule, item: QueueItem) -> Instant | None:
    """When its sender is to hear of the delay; None where they have, or are not to."""
    if schedule.delay_notice_ms is None or item.is_delay_told:
        return None
    return Instant(item.queued_at + schedule.delay_notice_ms)


def _wait_ms(schedule: Schedule, tries: int, *, is_own_fault: bool) -> int:
    waits = schedule.own_waits_ms if is_own_fault else schedule.waits_ms
    return waits[min(tries, len(waits)) - 1]
