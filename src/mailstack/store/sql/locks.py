"""Leases on names: ports.locks in SQL."""

from mailstack.model.errors import Conflict
from mailstack.model.instant import Instant
from mailstack.ports.locks import Lease
from mailstack.store.sql.database import Database, Transaction

ACQUIRE = """INSERT INTO lease (name, owner, lease_until) VALUES (?, ?, ?)
    ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, lease_until = excluded.lease_until
    WHERE lease.owner = excluded.owner OR lease.lease_until <= ? OR lease.lease_until > ?
    RETURNING owner"""
HOLDER = "SELECT owner, lease_until FROM lease WHERE name = ?"
# A write, for it holds the row: whoever wants the lease waits until this transaction is over.
STILL_HELD = "UPDATE lease SET owner = owner WHERE name = ? AND owner = ?"
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


def check_lease(transaction: Transaction, lease: Lease | None) -> None:
    """Raises Conflict where it is not this owner's any more. One that ran out and nobody has taken still counts."""
    if lease is not None and not transaction.run_counted(STILL_HELD, (lease.name, lease.owner)):
        raise Conflict(f"{lease.name}: somebody else is at it by now")
