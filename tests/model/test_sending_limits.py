"""How much of a limit is left, and until when."""

import pytest

from mailstack.model.instant import DAY_MS, HOUR_MS, MINUTE_MS, Instant
from mailstack.model.sending_limits import SPAN_MS, SendingLimits, Span, counts_since, room_of, span_of

NOW = Instant(1_000 * DAY_MS + 5 * MINUTE_MS)
LIMITS = SendingLimits(recipients_per_hour=10, recipients_per_day=15)


def span(minutes_ago: int, *, messages: int = 1, recipients: int = 1) -> Span:
    return Span(began_at=span_of(Instant(NOW - minutes_ago * MINUTE_MS)), messages=messages, recipients=recipients)


@pytest.mark.parametrize(
    ("spans", "left"),
    [
        ([], 10),
        ([span(0, recipients=4)], 6),
        ([span(62, recipients=4)], 6),  # a part of its span is less than an hour ago
        ([span(76, recipients=4)], 10),
        ([span(76, recipients=9), span(0)], 5),
        ([span(0, recipients=12)], 0),
        ([span(24 * 60 + 4, recipients=20)], 0),
        ([span(24 * 60 + 16, recipients=20)], 10),
    ],
)
def test_the_limit_that_leaves_the_least_is_what_is_left(spans: list[Span], left: int) -> None:
    room = room_of(LIMITS, spans, now=NOW)
    assert room.recipients == left
    assert room.has(left)
    assert not room.has(left + 1)


def test_it_is_told_which_one_that_is_and_when_it_leaves_more() -> None:
    hour = room_of(LIMITS, [span(20, recipients=10)], now=NOW).bound
    day = room_of(LIMITS, [span(600, recipients=9), span(20, recipients=6)], now=NOW).bound
    assert (str(hour), str(day)) == ("10 recipients an hour", "15 recipients a day")
    assert hour is not None
    assert hour.free_at == span_of(Instant(NOW - 20 * MINUTE_MS)) + SPAN_MS + HOUR_MS
    assert day is not None
    assert day.free_at == span_of(Instant(NOW - 600 * MINUTE_MS)) + SPAN_MS + DAY_MS


def test_there_is_more_once_it_says_so_and_not_before() -> None:
    spans = [span(20, recipients=10)]
    bound = room_of(LIMITS, spans, now=NOW).bound
    assert bound is not None
    assert room_of(LIMITS, spans, now=Instant(bound.free_at - 1)).recipients == 0
    assert room_of(LIMITS, spans, now=bound.free_at).recipients == 5  # of the day


def test_of_messages_it_does_not_matter_whom_they_are_for() -> None:
    limits = SendingLimits(messages_per_hour=2, recipients_per_hour=None, recipients_per_day=None)
    assert room_of(limits, [span(0, recipients=900)], now=NOW).has(10_000)
    room = room_of(limits, [span(0, messages=2)], now=NOW)
    assert not room.has(1)
    assert str(room.bound) == "2 messages an hour"


def test_null_is_no_limit() -> None:
    limits = SendingLimits(recipients_per_hour=None, recipients_per_day=None)
    room = room_of(limits, [span(0, messages=10**6, recipients=10**9)], now=NOW)
    assert room.bound is None
    assert room.has(10**9)


def test_what_is_read_is_all_that_counts() -> None:
    oldest = span(24 * 60 + 4, recipients=20)
    assert oldest.began_at >= counts_since(NOW)
    assert room_of(LIMITS, [oldest], now=NOW).recipients == 0
