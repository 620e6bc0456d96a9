"""The files of a node's log, and which of them count.

A segment (`2026-11-30T12.4711-0.jsonl`) holds lines of one process and one hour, in UTC. It is open for as long as its
process has it locked, so that one which was killed leaves a segment like any other. `2026-11-30T12.parquet` holds the
whole hour and `2026-11-30.parquet` the whole day: once one of them has its name, what it was made of counts no more,
so that a crash before that is deleted shows no line twice.
"""

import fcntl
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mailstack.model.instant import HOUR_MS, Instant, as_datetime, from_datetime

LOG_FOLDER = "log"
SEGMENT_SUFFIX = ".jsonl"
MADE_SUFFIX = ".parquet"
_HOUR = "%Y-%m-%dT%H"
_DAY = "%Y-%m-%d"
_DAY_LENGTH = len("2026-11-30")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """period: as its name has it, an hour or a day."""

    path: Path
    period: str

    @property
    def is_segment(self) -> bool:
        return self.path.suffix == SEGMENT_SUFFIX

    @property
    def begins(self) -> Instant:
        return from_datetime(_moment(self.period))

    @property
    def ends(self) -> Instant:
        length = timedelta(days=1) if self.period == day_of(self.period) else timedelta(hours=1)
        return from_datetime(_moment(self.period) + length)


def log_folder(storage: Path) -> Path:
    return storage / LOG_FOLDER


def hour_at(now: Instant) -> str:
    return as_datetime(now).strftime(_HOUR)


def end_of_hour(now: Instant) -> Instant:
    return Instant((now // HOUR_MS + 1) * HOUR_MS)


def day_of(period: str) -> str:
    return period[:_DAY_LENGTH]


def all_parts(folder: Path) -> list[Part]:
    """Oldest first, with those that count no more. None where there is no log."""
    try:
        paths = sorted(folder.iterdir())
    except FileNotFoundError:
        return []
    parts = (Part(path=path, period=path.name.partition(".")[0]) for path in paths)
    return [part for part in parts if part.path.suffix in (SEGMENT_SUFFIX, MADE_SUFFIX) and _is_period(part.period)]


def counting(parts: Sequence[Part]) -> list[Part]:
    made = {part.period for part in parts if not part.is_segment}
    return [part for part in parts if not _is_replaced(part, made)]


def replaced(parts: Sequence[Part]) -> list[Part]:
    """What a crash left beside that which was made of it."""
    made = {part.period for part in parts if not part.is_segment}
    return [part for part in parts if _is_replaced(part, made)]


def is_open(part: Part) -> bool:
    """A process still writes to it."""
    if not part.is_segment:
        return False
    try:
        file = os.open(part.path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


def size_of(part: Part) -> int:
    """0 for one that is gone by now."""
    try:
        return part.path.stat().st_size
    except FileNotFoundError:
        return 0


def goes_back_to(folder: Path) -> Instant | None:
    """The hour that its first lines are of, None where nothing is kept."""
    return min((part.begins for part in counting(all_parts(folder))), default=None)


def _is_replaced(part: Part, made: set[str]) -> bool:
    day = day_of(part.period)
    return (part.is_segment and part.period in made) or (part.period != day and day in made)


def _moment(period: str) -> datetime:
    return datetime.strptime(period, _DAY if period == day_of(period) else _HOUR).replace(tzinfo=UTC)


def _is_period(text: str) -> bool:
    try:
        _moment(text)
    except ValueError:
        return False
    return True
