"""Makes Parquet of the segments of hours that are over, one file of the hours of a day, and deletes what is too old.

One process at a time does it for a node. It may be killed at any moment; the next one goes on.
"""

import fcntl
import os
import shutil
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from mailstack.model.instant import MINUTE_MS, SECOND_MS, Instant
from mailstack.model.resource import LogBody
from mailstack.store.event_log.parts import (
    MADE_SUFFIX,
    Part,
    all_parts,
    counting,
    day_of,
    is_open,
    replaced,
    size_of,
)
from mailstack.store.syncing import sync_folder

GRACE_MS = 5 * MINUTE_MS
"""After an hour, or a day, is over: processes close its segments, and clocks are put right."""
LOCK_NAME = ".keeper.lock"
SPILL_NAME = ".spill"
_DRAFT_SUFFIX = ".draft"


def is_due(folder: Path, rules: LogBody, now: Instant) -> bool:
    """Something is to be made, or to be deleted."""
    parts = all_parts(folder)
    return bool(
        replaced(parts)
        or any(True for _ in _hours(parts, now))
        or any(True for _ in _days(parts, now))
        or any(True for _ in _surplus(counting(parts), rules, now))
    )


def keep(folder: Path, rules: LogBody, now: Instant) -> int:
    """How many files were made. Raises OSError or duckdb.Error, of the first that cannot be, once all others are."""
    import duckdb

    with _turn(folder) as is_ours:
        if not is_ours:
            return 0
        _delete(part.path for part in _surplus(counting(all_parts(folder)), rules, now))
        _delete(folder.glob(f"*{_DRAFT_SUFFIX}"))
        shutil.rmtree(folder / SPILL_NAME, ignore_errors=True)  # of one that was killed
        _delete(part.path for part in replaced(all_parts(folder)))
        made = 0
        faults: list[OSError | duckdb.Error] = []
        # What is made of an hour is there before its day is looked at.
        for due in (_hours, _days):
            for period, parts in due(all_parts(folder), now):
                try:
                    _make(folder, period, parts)
                    made += 1
                except (OSError, duckdb.Error) as fault:  # a damaged one must not hold up what comes after it
                    faults.append(fault)
        if faults:
            raise faults[0]
        return made


def forget(folder: Path) -> None:
    """Nothing is kept from now on: who writes finds no folder."""
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _turn(folder: Path) -> Iterator[bool]:
    lock = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(lock)


def _hours(parts: Sequence[Part], now: Instant) -> Iterator[tuple[str, list[Part]]]:
    for period, found in _grouped(part for part in counting(parts) if part.is_segment).items():
        if found[0].ends + GRACE_MS <= now and not any(map(is_open, found)):
            yield period, found


def _days(parts: Sequence[Part], now: Instant) -> Iterator[tuple[str, list[Part]]]:
    """Those of which every hour is made."""
    by_day: defaultdict[str, list[Part]] = defaultdict(list)
    for part in counting(parts):
        by_day[day_of(part.period)].append(part)
    for day, found in by_day.items():
        is_over = Part(path=found[0].path, period=day).ends + 2 * GRACE_MS <= now
        if is_over and not any(part.is_segment for part in found) and [part.period for part in found] != [day]:
            yield day, found


def _grouped(parts: Iterable[Part]) -> Mapping[str, list[Part]]:
    found: defaultdict[str, list[Part]] = defaultdict(list)
    for part in parts:
        found[part.period].append(part)
    return found


def _make(folder: Path, period: str, parts: Sequence[Part]) -> None:
    draft, made = folder / f"{period}{_DRAFT_SUFFIX}", folder / f"{period}{MADE_SUFFIX}"
    try:
        _write(draft, parts, spill=folder / SPILL_NAME)
        draft.rename(made)
    except BaseException:  # also of who is stopped
        with suppress(OSError):
            draft.unlink(missing_ok=True)  # where the disk is full, mail needs the room
        raise
    sync_folder(folder)  # before what it was made of is gone
    _delete(part.path for part in parts)


def _write(draft: Path, parts: Sequence[Part], *, spill: Path) -> None:
    from mailstack.store.event_log.database import COLUMNS, MADE, names_of, opened

    # Hours of a day are in order as they come; lines of an hour come from several processes.
    of_these = f"{COLUMNS} ORDER BY moment" if parts[0].is_segment else MADE
    target = str(draft).replace("'", "''")
    with opened(spill) as database:
        database.execute(
            f"COPY ({of_these}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)",
            [names_of(parts)],
        )
    with draft.open("rb+") as file:
        os.fchmod(file.fileno(), 0o600)
        os.fsync(file.fileno())


def _surplus(parts: Sequence[Part], rules: LogBody, now: Instant) -> Iterator[Part]:
    """What is too old, and then the oldest of what is too much; nothing that a process still writes to."""
    since = now - rules.keep_s * SECOND_MS
    sizes = {part.path: size_of(part) for part in parts}
    room = rules.max_bytes - sum(size for part, size in zip(parts, sizes.values(), strict=True) if part.ends > since)
    for part in parts:
        if part.ends <= since:
            yield part
        elif room < 0 and not is_open(part):
            room += sizes[part.path]
            yield part


def _delete(paths: Iterable[Path]) -> None:
    for path in list(paths):
        path.unlink(missing_ok=True)
