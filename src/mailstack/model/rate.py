"""How many recipients one destination gets in a span of time, and when what is over that may go. Pure.

A meter fills with each recipient and empties at an even pace (the leaky bucket of ITU-T I.371, GCRA). A tenth may go at
once; from there on the pace is such that no minute, hour or day, wherever it begins, has more than the rate says.
What must wait gets a time of its own, so that a thousand that wait are not asked about a thousand times a second. Some
of what may go at once is for submissions alone: what a person writes passes by a list that fills the rate.
"""

import math
from dataclasses import dataclass
from typing import Final

from mailstack.model.delivery import Priority
from mailstack.model.instant import DAY_MS, HOUR_MS, MINUTE_MS, Instant

SPANS: Final = {"m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS}
LATE_MS: Final = 500
"""So late may come back what waits for its time, and find its room nevertheless."""
FARTHEST_MS: Final = HOUR_MS
"""What would have to wait for longer looks in before then: the line may have become shorter meanwhile."""
_ROUNDING: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Rate:
    """span: a key of SPANS."""

    count: int
    span: str

    def __str__(self) -> str:
        return f"{self.count}/{self.span}"

    @property
    def burst(self) -> int:
        """So many at once."""
        return max(2, self.count // 10) if self.count >= 10 else 1

    @property
    def kept(self) -> int:
        """Of a burst, for submissions alone."""
        return math.ceil(self.burst / 4) if self.burst > 1 else 0

    @property
    def interval_ms(self) -> float:
        # With `burst` at its beginning no span has more than `count`.
        return SPANS[self.span] / (self.count - self.burst + 1)


@dataclass(frozen=True, slots=True)
class Meter:
    """In milliseconds, 0 for never. empty_at: when all is forgotten that went. lines: for each priority, the time that
    was given last to one that waits."""

    empty_at: float = 0
    lines: tuple[float, ...] = (0.0,) * len(Priority)


def draw(rate: Rate, meter: Meter, asked: int, priority: Priority, now: Instant) -> tuple[Meter, list[Instant]]:
    """The times at which those may come back that may not go now; all others of `asked` are counted as gone."""
    # Fuller than full it is only where the clock was ahead.
    filled_ms = min(max(meter.empty_at - now, 0), rate.burst * rate.interval_ms)
    going = min(asked, _room(rate, filled_ms, priority))
    empty_at = now + filled_ms + going * rate.interval_ms
    if going == asked:
        return Meter(empty_at=empty_at, lines=meter.lines), []
    lines = list(meter.lines)
    lines[priority], times = _in_line(rate, lines[priority], asked - going, now)
    return Meter(empty_at=empty_at, lines=tuple(lines)), times


def _room(rate: Rate, filled_ms: float, priority: Priority) -> int:
    kept_ms = 0.0
    if priority is not Priority.SUBMISSION:
        kept_ms = rate.kept * rate.interval_ms
        kept_ms -= min(kept_ms / 2, LATE_MS)
    free_ms = rate.burst * rate.interval_ms - kept_ms - filled_ms
    return max(math.floor(free_ms / rate.interval_ms + _ROUNDING), 0)


def _in_line(rate: Rate, last: float, count: int, now: Instant) -> tuple[float, list[Instant]]:
    """last: the time that was given last. The next of these, and the times of so many more."""
    # Where nothing is kept there is nothing to make up for who comes late.
    interval_ms = rate.interval_ms + (0 if rate.kept else LATE_MS)
    # So many at the same moment as may go at once, for one transaction.
    step_ms = (rate.burst - rate.kept) * interval_ms if rate.kept else 1
    times: list[Instant] = []
    for _ in range(count):
        if last > now + FARTHEST_MS:
            last = now + FARTHEST_MS / 2
        last = max(last, now) + interval_ms
        times.append(Instant(math.ceil(math.ceil(last / step_ms) * step_ms)))
    return last, times
