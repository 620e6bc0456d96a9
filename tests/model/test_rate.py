"""Never more than so many in any span, and nearly as many where there is more to send."""

import heapq
import random
from bisect import bisect_left
from collections import Counter

import pytest

from mailstack.model.delivery import Priority
from mailstack.model.instant import HOUR_MS, MINUTE_MS, Instant
from mailstack.model.rate import FARTHEST_MS, SPANS, Meter, Rate, draw

NOW = Instant(1_700_000_000_123)
RATES = [Rate(1, "m"), Rate(5, "m"), Rate(9, "h"), Rate(10, "m"), Rate(20, "m"), Rate(300, "m"), Rate(1_000, "h")]


def sent(rate: Rate, coming: dict[int, Priority], *, span_ms: int, late_ms: int = 0) -> list[tuple[int, Priority]]:
    """Each comes at its time, and again when it was told to, a little late. Who went, and when."""
    meter, gone, pick = Meter(), list[tuple[int, Priority]](), random.Random(7)
    line = [(at, -priority, number) for number, (at, priority) in enumerate(coming.items())]
    heapq.heapify(line)
    while line and line[0][0] <= NOW + span_ms:
        at, urgency, number = heapq.heappop(line)
        meter, times = draw(rate, meter, 1, Priority(-urgency), Instant(at))
        if times:
            assert at < times[0] <= at + FARTHEST_MS + 2 * SPANS[rate.span]
            heapq.heappush(line, (times[0] + pick.randint(0, late_ms), urgency, number))
        else:
            gone.append((at, Priority(-urgency)))
    return gone


def most_in_a_span(rate: Rate, times: list[int]) -> int:
    return max(bisect_left(times, begin + SPANS[rate.span]) - at for at, begin in enumerate(times))


@pytest.mark.parametrize("rate", RATES, ids=str)
@pytest.mark.parametrize("late_ms", [0, 400])
def test_no_span_has_more_and_a_backlog_nearly_fills_it(rate: Rate, late_ms: int) -> None:
    spans = 4
    coming = {NOW + number: Priority.BULK for number in range(rate.count * spans)}
    gone = [at for at, _ in sent(rate, coming, span_ms=spans * SPANS[rate.span], late_ms=late_ms)]
    assert most_in_a_span(rate, gone) <= rate.count
    assert len(gone) >= 0.75 * spans * rate.count


@pytest.mark.parametrize("rate", RATES, ids=str)
def test_no_span_has_more_whoever_comes_when(rate: Rate) -> None:
    pick, span_ms = random.Random(11), 3 * SPANS[rate.span]
    coming = {NOW + pick.randrange(span_ms): pick.choice(list(Priority)) for _ in range(4 * rate.count)}
    gone = [at for at, _ in sent(rate, coming, span_ms=span_ms, late_ms=300)]
    assert most_in_a_span(rate, gone) <= rate.count


def test_after_a_pause_a_tenth_goes_at_once() -> None:
    meter, times = draw(Rate(1_000, "h"), Meter(), 150, Priority.SUBMISSION, NOW)
    assert len(times) == 50
    assert min(times) > NOW
    _, times = draw(Rate(1_000, "h"), meter, 150, Priority.SUBMISSION, Instant(NOW + HOUR_MS))
    assert len(times) == 50


def test_those_who_wait_come_back_together_as_many_as_may_go_at_once() -> None:
    rate = Rate(1_000, "h")
    _, times = draw(rate, Meter(), 500, Priority.BULK, NOW)
    assert times == sorted(times)
    together = list(Counter(times).values())
    assert set(together[1:-1]) == {rate.burst - rate.kept}


def test_what_a_person_writes_passes_by_a_list_that_fills_the_rate() -> None:
    coming: dict[int, Priority] = {NOW + number: Priority.BULK for number in range(2_000)}
    written = NOW + 10 * MINUTE_MS + 1_234
    coming[written] = Priority.SUBMISSION
    gone = sent(Rate(20, "m"), coming, span_ms=HOUR_MS, late_ms=200)
    ((at, _),) = [each for each in gone if each[1] is Priority.SUBMISSION]
    assert at - written <= 5_000


def test_what_would_wait_for_days_looks_in_now_and_then() -> None:
    meter, times = Meter(), list[Instant]()
    for _ in range(1_000):
        meter, more = draw(Rate(20, "m"), meter, 100, Priority.BULK, NOW)
        times += more
    assert max(times) <= NOW + FARTHEST_MS + MINUTE_MS
    busiest = max(Counter((time - NOW) // MINUTE_MS for time in times).values())
    assert busiest < 100_000 / 25


def test_a_clock_that_was_ahead_stops_nothing_for_long() -> None:
    rate = Rate(20, "m")
    meter, _ = draw(rate, Meter(), 500, Priority.BULK, Instant(NOW + 24 * HOUR_MS))
    meter, times = draw(rate, meter, 1, Priority.BULK, NOW)
    assert times[0] <= NOW + HOUR_MS
    _, times = draw(rate, meter, 1, Priority.BULK, Instant(NOW + MINUTE_MS))
    assert times == []
