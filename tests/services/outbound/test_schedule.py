"""When mail is tried again. RFC 5321 §4.5.4.1."""

from dataclasses import replace

import pytest

from mailstack.model.delivery import QueueItem, QueueState
from mailstack.model.ids import MailId, QueueItemId
from mailstack.model.instant import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Instant
from mailstack.services.outbound.schedule import Schedule, is_delay_notice_due, next_attempt, next_word

QUEUED = Instant(1_000_000)
SCHEDULE = Schedule()


def item(*, tries: int, next_at: int) -> QueueItem:
    return QueueItem(
        item_id=QueueItemId(1),
        mail_id=MailId(1),
        reverse_path="a@b.test",
        recipient="c@d.test",
        state=QueueState.WAITING,
        size_bytes=1,
        queued_at=QUEUED,
        next_at=Instant(next_at),
        tries=tries,
        last_reply=None,
        last_host="",
        is_8bit=False,
        smtp_utf8=False,
        trace_id="t",
    )


@pytest.mark.parametrize(
    ("tries", "wait_ms"),
    [
        (1, 30 * MINUTE_MS),
        (2, HOUR_MS),
        (3, 2 * HOUR_MS),
        (4, 4 * HOUR_MS),
        (5, 8 * HOUR_MS),
        (6, 8 * HOUR_MS),
        (10_000, 8 * HOUR_MS),
    ],
)
def test_waits_double_up_to_their_cap(tries: int, wait_ms: int) -> None:
    assert next_attempt(SCHEDULE, tries=tries, queued_at=QUEUED, now=QUEUED) == QUEUED + wait_ms


@pytest.mark.parametrize(
    ("tries", "wait_ms"),
    [
        (1, 5 * SECOND_MS),
        (2, 15 * SECOND_MS),
        (3, MINUTE_MS),
        (4, 2 * MINUTE_MS),
        (5, 5 * MINUTE_MS),
        (6, 15 * MINUTE_MS),
        (7, 15 * MINUTE_MS),
        (10_000, 15 * MINUTE_MS),
    ],
)
def test_our_own_store_is_tried_again_soon(tries: int, wait_ms: int) -> None:
    at = next_attempt(SCHEDULE, tries=tries, queued_at=QUEUED, now=QUEUED, is_own_fault=True)
    assert at == QUEUED + wait_ms


def test_our_own_store_too_is_given_up_at_the_end_of_the_lifetime() -> None:
    now = Instant(QUEUED + 5 * DAY_MS - SECOND_MS)
    at = next_attempt(SCHEDULE, tries=9, queued_at=QUEUED, now=now, is_own_fault=True)
    assert at == QUEUED + 5 * DAY_MS
    assert next_attempt(SCHEDULE, tries=10, queued_at=QUEUED, now=at, is_own_fault=True) is None


def test_the_last_attempt_is_at_the_end_of_the_lifetime() -> None:
    now = Instant(QUEUED + 5 * DAY_MS - HOUR_MS)
    assert next_attempt(SCHEDULE, tries=20, queued_at=QUEUED, now=now) == QUEUED + 5 * DAY_MS


def test_after_the_lifetime_there_is_none() -> None:
    assert next_attempt(SCHEDULE, tries=20, queued_at=QUEUED, now=Instant(QUEUED + 5 * DAY_MS)) is None


def test_every_gap_is_at_least_half_an_hour_but_the_last() -> None:
    now, tries, gaps = QUEUED, 0, []
    while True:
        tries += 1
        following = next_attempt(SCHEDULE, tries=tries, queued_at=QUEUED, now=now)
        if following is None:
            break
        gaps.append(following - now)
        now = following
    assert min(gaps[:-1]) >= 30 * MINUTE_MS
    assert sum(gaps) == 5 * DAY_MS


def test_the_last_wait_of_the_spec_goes_on() -> None:
    schedule = Schedule(waits_ms=(MINUTE_MS, 7 * MINUTE_MS), lifetime_ms=DAY_MS)
    waits = [(next_attempt(schedule, tries=tries, queued_at=QUEUED, now=QUEUED) or 0) - QUEUED for tries in (1, 2, 3)]
    assert waits == [MINUTE_MS, 7 * MINUTE_MS, 7 * MINUTE_MS]


def test_who_wants_no_delay_notices_has_none() -> None:
    schedule = Schedule(delay_notice_ms=None)
    late = Instant(QUEUED + 5 * HOUR_MS)
    assert is_delay_notice_due(SCHEDULE, item(tries=0, next_at=QUEUED), late)
    assert not is_delay_notice_due(schedule, item(tries=0, next_at=QUEUED), late)


@pytest.mark.parametrize(("is_own_fault", "latest_ms"), [(False, 8 * HOUR_MS), (True, 4 * HOUR_MS + 16 * MINUTE_MS)])
def test_a_delay_notice_is_due_from_the_first_attempt_past_the_delay_on(*, is_own_fault: bool, latest_ms: int) -> None:
    now, tries = QUEUED, 0
    while not is_delay_notice_due(SCHEDULE, item(tries=tries, next_at=now), now):
        tries += 1
        following = next_attempt(SCHEDULE, tries=tries, queued_at=QUEUED, now=now, is_own_fault=is_own_fault)
        assert following is not None
        now = Instant(following + 1_000)  # attempts are a little late
    assert 4 * HOUR_MS <= now - QUEUED < latest_ms


def test_whoever_heard_of_the_delay_does_not_hear_of_it_again() -> None:
    late = Instant(QUEUED + 9 * HOUR_MS)
    assert not is_delay_notice_due(SCHEDULE, replace(item(tries=3, next_at=QUEUED), is_delay_told=True), late)


@pytest.mark.parametrize(
    ("schedule", "is_told", "now_ms", "expected_ms"),
    [
        (SCHEDULE, False, 0, 4 * HOUR_MS),
        (SCHEDULE, False, 4 * HOUR_MS, 5 * DAY_MS),  # it is said now
        (SCHEDULE, True, 0, 5 * DAY_MS),
        (Schedule(delay_notice_ms=None), False, 0, 5 * DAY_MS),
        (Schedule(lifetime_ms=HOUR_MS), False, 0, HOUR_MS),
    ],
)
def test_mail_that_is_not_tried_has_something_to_tell_in_time(
    schedule: Schedule, is_told: bool, now_ms: int, expected_ms: int
) -> None:
    waiting = replace(item(tries=0, next_at=QUEUED), is_delay_told=is_told)
    assert next_word(schedule, waiting, Instant(QUEUED + now_ms)) == QUEUED + expected_ms
