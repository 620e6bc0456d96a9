"""What providers said to mail that went straight to them: ports.warm_days in SQL."""

from collections.abc import Sequence

from mailstack.model.instant import Instant
from mailstack.model.warm_up import WarmDay
from mailstack.store.sql.database import Database, Row

ADD = """INSERT INTO warm_day (provider, day, taken, troubles) VALUES (?, ?, ?, ?)
    ON CONFLICT (provider, day) DO UPDATE SET taken = warm_day.taken + excluded.taken,
    troubles = warm_day.troubles + excluded.troubles"""
OF = "SELECT provider, day, taken, troubles FROM warm_day WHERE provider = ? AND day >= ? ORDER BY day"
ALL = "SELECT provider, day, taken, troubles FROM warm_day WHERE day >= ?"
FORGET = "DELETE FROM warm_day WHERE day < ?"


class SqlWarmDays:
    def __init__(self, system: Database) -> None:
        self._system = system

    async def add(self, day: WarmDay) -> None:
        row = (day.provider, day.day, day.taken, day.troubles)
        await self._system.write(lambda transaction: transaction.run(ADD, row))

    async def of(self, provider: str, *, since: Instant) -> Sequence[WarmDay]:
        return [_day(row) for row in await self._system.rows(OF, (provider, since))]

    async def all(self, *, since: Instant) -> Sequence[WarmDay]:
        # Sorted here: databases disagree on the order of names.
        return sorted(map(_day, await self._system.rows(ALL, (since,))), key=lambda day: (day.provider, day.day))

    async def forget(self, *, before: Instant) -> int:
        return await self._system.write(lambda transaction: transaction.run_counted(FORGET, (before,)))


def _day(row: Row) -> WarmDay:
    provider, day, taken, troubles = row
    return WarmDay(provider=provider, day=Instant(day), taken=taken, troubles=troubles)
