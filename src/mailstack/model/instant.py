"""Points in time, and the clock as an argument."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import NewType

Instant = NewType("Instant", int)
"""Milliseconds since 1970-01-01T00:00:00Z."""

Clock = Callable[[], Instant]

SECOND_MS = 1_000
MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000


def earliest(*moments: Instant | None) -> Instant | None:
    """None stands for never."""
    return min((moment for moment in moments if moment is not None), default=None)


def as_datetime(instant: Instant) -> datetime:
    return datetime.fromtimestamp(instant / SECOND_MS, UTC)


def iso(instant: Instant) -> str:
    """To the second, as people and JSON read it."""
    return f"{as_datetime(instant).replace(tzinfo=None).isoformat(timespec='seconds')}Z"


def from_iso(text: str) -> Instant | None:
    """None for what `iso` does not write."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if moment.tzinfo is None else from_datetime(moment)


def from_datetime(moment: datetime) -> Instant:
    """moment: aware; a naive one would mean the machine's zone, which nobody meant."""
    return Instant(round(moment.timestamp() * SECOND_MS))
