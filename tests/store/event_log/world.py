"""A log in a folder, at any time of day, and golden events to write into it."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from mailstack.model.instant import HOUR_MS, Instant, as_datetime
from mailstack.store.event_log.reading import EventLog
from mailstack.store.event_log.segments import Segments

NOON = Instant(1_796_040_000_000)  # 2026-11-30T12:00:00Z
FROM = Instant(0)
AFTERWARDS = Instant(NOON + 10_000 * HOUR_MS)


@dataclass(slots=True)
class World:
    folder: Path
    now: Instant = NOON
    told: list[str] = field(default_factory=list)

    def segments(self) -> Segments:
        return Segments(
            self.folder,
            clock=lambda: self.now,
            on_trouble=self.told.append,
            on_end=lambda dropped: self.told.append(f"dropped {dropped}"),
        )

    @property
    def log(self) -> EventLog:
        return EventLog(self.folder)

    @property
    def files(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir() if not path.name.startswith("."))


def at(moment: Instant) -> str:
    return as_datetime(moment).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def event(name: str, moment: Instant, trace: str = "", **facts: object) -> bytes:
    told = {**({"trace": trace} if trace else {}), **facts}
    return json.dumps({**told, "event": name, "level": "info", "at": at(moment), "pid": 1}).encode()


def transaction(moment: Instant, trace: str, *, outcome: str = "accepted", **facts: object) -> bytes:
    told = {
        "outcome": outcome,
        "peer": "192.0.2.1",
        "sender": "Bob@Else.example",
        "recipients": [{"address": "alice@example.com", "outcome": outcome, "reply": "", "reason": ""}],
        "message_id": "1@else.example",
        "code": 250 if outcome == "accepted" else 550,
        "status": "2.0.0" if outcome == "accepted" else "5.1.1",
        "text": "OK" if outcome == "accepted" else "No such recipient here",
        "reason": "",
    }
    return event("transaction", moment, trace, **{**told, **facts})
