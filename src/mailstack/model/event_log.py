"""Which events of a node's log are asked for. An event is what was logged, a JSON object in one line."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mailstack.model.instant import Instant

Event = Mapping[str, Any]
"""With `at`, `event`, `level` and `pid`, and what else was told."""

LEVELS = ("debug", "info", "warning", "error", "critical")


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """since, until: the first moment, and that behind the last. names: none stands for any. level: the least. trace:
    "" for any. text: what its line has somewhere, in letters of either case."""

    since: Instant
    until: Instant
    names: tuple[str, ...] = ()
    level: str = LEVELS[0]
    trace: str = ""
    text: str = ""

    @property
    def levels(self) -> tuple[str, ...]:
        return LEVELS[LEVELS.index(self.level) :]

    def takes(self, event: Event, line: str) -> bool:
        """Whatever its time. line: the event as it was written."""
        return (
            (not self.names or event.get("event") in self.names)
            and event.get("level") in self.levels
            and self.trace in ("", event.get("trace"))
            and self.text.lower() in line.lower()
        )
