"""Leases on names: ports.locks in SQL."""

from mailstack.model.instant import Instant
from mailstack.store.sql.database import Database, Transaction

ACQUIRE = """INSERT INTO lease (name, owner, lease_until) VALUES (?, ?, ?)
    ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, lease_until = excluded.lease_until
    WHERE lease.owner = excluded.owner OR lease.lease_until <= ? OR lease.lease_until > ?
    RETURNING owner"""
HOLDER = "SELECT owner, lease_until FROM lease WHERE name = ?"
RELEASE = "DELETE FROM lease WHERE name = ? AND owner = ?"


class SqlLocks:
    def __init__(self, system: Database) -> None:
        self._system = system

    async def acquire(self, name: str, owner: str, *, now: Instant, until: Instant) -> bool:
        believed_until = until + (until - now)
        holder = await self._system.row(HOLDER, (name,))
        if holder is not None and holder[0] != owner and now < holder[1] <= believed_until:
            return False

        def work(transaction: Transaction) -> bool:
            return transaction.row(ACQUIRE, (name, owner, until, now, believed_until)) is not None

        return await self._system.write(work)

    async def holder(self, name: str, *, now: Instant) -> str:
        holder = await self._system.row(HOLDER, (name,))
        return str(holder[0]) if holder is not None and holder[1] > now else ""

    async def release(self, name: str, owner: str) -> None:
        await self._system.write(lambda transaction: transaction.run(RELEASE, (name, owner)))
