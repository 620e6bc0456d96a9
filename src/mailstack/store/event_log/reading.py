"""Questions to a node's log, while others write to it and make Parquet of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import structlog

from mailstack.model.errors import TryAgainLater
from mailstack.model.event_log import EventFilter
from mailstack.model.instant import HOUR_MS, Instant, as_datetime, from_datetime
from mailstack.store.event_log.database import COLUMNS, MADE, names_of, opened
from mailstack.store.event_log.parts import Part, all_parts, counting

log = structlog.get_logger()

TRIES = 10
"""A file that is gone has become part of another."""

LAST_LINES = """
    SELECT line FROM (
        SELECT line, moment FROM told
         WHERE moment >= ? AND moment < ?
           AND (len(CAST(? AS VARCHAR[])) = 0 OR list_contains(CAST(? AS VARCHAR[]), event))
           AND list_contains(?, level)
           AND (? = '' OR trace = ?) AND (? = '' OR contains(lower(line), lower(?)))
         ORDER BY moment DESC LIMIT ?
    ) ORDER BY moment
"""
LAST_TRACES = """
    SELECT trace FROM told WHERE moment >= ? AND moment < ? AND trace <> '' AND (trace = ? OR contains(names, ?))
     GROUP BY trace ORDER BY max(moment) DESC LIMIT ?
"""
OF_TRACES = """
    SELECT trace, line FROM (
        SELECT trace, line, moment, row_number() OVER (PARTITION BY trace ORDER BY moment) AS number
          FROM told WHERE moment >= ? AND list_contains(?, trace)
    ) WHERE number <= ? ORDER BY moment
"""
FIGURES = """
    SELECT date_trunc('hour', moment) AS hour, event,
           CASE event WHEN 'transaction' THEN line->>'$.outcome'
                      WHEN 'scored' THEN line->>'$.result'
                      WHEN 'withheld' THEN line->>'$.of' ELSE '' END AS came_to,
           CASE event WHEN 'transaction' THEN line->>'$.reason' ELSE '' END AS reason,
           CAST(sum(CASE event WHEN 'withheld' THEN CAST(line->>'$.count' AS BIGINT) ELSE 1 END) AS BIGINT) AS count
      FROM told WHERE moment >= ? AND moment < ? AND list_contains(?, event)
     GROUP BY ALL ORDER BY ALL
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """hour: its first moment. came_to: the outcome of a transaction, the result of a score, what was withheld, else "";
    reason: of a transaction."""

    hour: Instant
    event: str
    came_to: str
    reason: str
    count: int


class EventLog:
    """Of one node, in its folder. Blocking. All raise TryAgainLater where the log cannot be read just now, and
    KeyboardInterrupt for a signal whose handler raises anything."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def last_lines(self, wanted: EventFilter, limit: int) -> list[str]:
        """The last ones that are wanted, in order."""
        values = (
            _moment(wanted.since),
            _moment(wanted.until),
            wanted.names,
            wanted.names,
            wanted.levels,
            *(wanted.trace, wanted.trace),
            *(wanted.text, wanted.text),
            limit,
        )
        return [line for (line,) in self._asked(LAST_LINES, values, wanted.since, wanted.until)]

    def last_traces(self, what: str, *, since: Instant, until: Instant, limit: int) -> list[str]:
        """Those that are `what`, or that name it: an address, a login, a Message-ID. The last first."""
        if not what:
            return []
        name = f"\n{what.lower()}\n"
        values = (_moment(since), _moment(until), what, name, limit)
        return [trace for (trace,) in self._asked(LAST_TRACES, values, since, until)]

    def of_traces(self, traces: Sequence[str], *, since: Instant, until: Instant, limit: int) -> dict[str, list[str]]:
        """The lines of each, in order; limit: so many of the first of each."""
        found: dict[str, list[str]] = {trace: [] for trace in traces}
        for trace, line in self._asked(OF_TRACES, (_moment(since), traces, limit), since, until):
            found[trace].append(line)
        return found

    def figures(self, events: Sequence[str], *, since: Instant, until: Instant) -> list[Figure]:
        values = (_moment(since), _moment(until), events)
        return [
            Figure(
                hour=from_datetime(hour.replace(tzinfo=UTC)),
                event=event,
                came_to=came_to or "",
                reason=reason or "",
                count=count,
            )
            for hour, event, came_to, reason, count in self._asked(FIGURES, values, since, until)
        ]

    def _asked(self, query: str, values: Sequence[object], since: Instant, until: Instant) -> list[Any]:
        left_out: set[Path] = set()
        for _ in range(TRIES):
            parts = [
                part
                for part in counting(all_parts(self._folder))
                # An hour's file may have a line of a moment before or after it: written late, or by a clock put right.
                if part.path not in left_out and part.begins - HOUR_MS < until and since < part.ends + HOUR_MS
            ]
            if not parts:
                return []
            try:
                return _answer(parts, query, values)
            except duckdb.Error as fault:
                damaged = {part.path for part in parts if part.path.exists() and not _is_readable(part)}
                if not damaged and all(part.path.exists() for part in parts):
                    raise TryAgainLater(f"{self._folder} cannot be read: {fault}") from fault
                for path in damaged:
                    log.warning("a file of the log is damaged and left out", path=str(path))
                left_out |= damaged
        raise TryAgainLater(f"{self._folder} is being put in order")


def _answer(parts: Sequence[Part], query: str, values: Sequence[object]) -> list[Any]:
    segments, made = ([part for part in parts if part.is_segment is wanted] for wanted in (True, False))
    branches = [sql for sql, found in ((COLUMNS, segments), (MADE, made)) if found]
    files = [names_of(found) for found in (segments, made) if found]
    told = " UNION ALL ".join(branches)
    with TemporaryDirectory(prefix="mailstack-log-") as spill, opened(Path(spill)) as database:
        lists = (list(value) if isinstance(value, tuple) else value for value in values)
        try:
            return database.execute(f"WITH told AS ({told}) {query}", [*files, *lists]).fetchall()
        except RuntimeError as fault:  # what a signal's handler raised meanwhile, whatever it was
            raise KeyboardInterrupt from fault


def _is_readable(part: Part) -> bool:
    if part.is_segment:
        return True  # whatever is no event in it is passed over
    with TemporaryDirectory(prefix="mailstack-log-") as spill, opened(Path(spill)) as database:
        try:
            database.execute(f"SELECT count(line) FROM ({MADE})", [names_of([part])]).fetchall()  # noqa: S608  constants
        except duckdb.Error:
            return False
    return True


def _moment(instant: Instant) -> object:
    return as_datetime(instant).replace(tzinfo=None)
