"""What greylisting remembers: ports.greylist in SQL."""

from collections.abc import Mapping, Sequence

from mailstack.model.greylist import GreyEntry
from mailstack.model.instant import Instant
from mailstack.store.sql.database import Database

FIND = "SELECT first_at, ends_at, passes FROM greylist WHERE entry = ? AND ends_at > ?"
KEEP = """INSERT INTO greylist (entry, first_at, ends_at, passes) VALUES (?, ?, ?, ?)
    ON CONFLICT (entry) DO UPDATE SET first_at = excluded.first_at, ends_at = excluded.ends_at,
    passes = excluded.passes"""
FORGET = "DELETE FROM greylist WHERE ends_at <= ?"


class SqlGreylist:
    def __init__(self, system: Database) -> None:
        self._system = system

    async def find(self, keys: Sequence[str], *, now: Instant) -> Mapping[str, GreyEntry]:
        found = {}
        for key in keys:
            row = await self._system.row(FIND, (key, now))
            if row is not None:
                found[key] = GreyEntry(first_at=Instant(row[0]), until=Instant(row[1]), passes=row[2])
        return found

    async def keep(self, entries: Mapping[str, GreyEntry]) -> None:
        rows = [(key, entry.first_at, entry.until, entry.passes) for key, entry in entries.items()]
        await self._system.write(lambda transaction: transaction.run_many(KEEP, rows))

    async def forget(self, *, now: Instant) -> int:
        return await self._system.write(lambda transaction: transaction.run_counted(FORGET, (now,)))
