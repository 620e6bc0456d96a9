"""Who has left mailing lists: ports.unsubscribed in SQL."""

from collections.abc import Mapping

from mailstack.model.instant import Instant
from mailstack.store.sql.database import Database

MEMBERS = "SELECT member, since FROM unsubscribed WHERE list_address = ? ORDER BY member"
ADD = "INSERT INTO unsubscribed (list_address, member, since) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
REMOVE = "DELETE FROM unsubscribed WHERE list_address = ? AND member = ?"


class SqlUnsubscribed:
    def __init__(self, system: Database) -> None:
        self._system = system

    async def members(self, list_address: str) -> Mapping[str, Instant]:
        rows = await self._system.read_long(lambda connection: connection.rows(MEMBERS, (list_address,)))
        return {member: Instant(since) for member, since in rows}

    async def add(self, list_address: str, member: str, *, now: Instant) -> bool:
        row = (list_address, member, now)
        return bool(await self._system.write(lambda transaction: transaction.run_counted(ADD, row)))

    async def remove(self, list_address: str, member: str) -> bool:
        row = (list_address, member)
        return bool(await self._system.write(lambda transaction: transaction.run_counted(REMOVE, row)))
