"""Peers with many connections: ports.crowds in SQL. Only many nodes have the table."""

from collections.abc import Mapping

from mailstack.model.instant import Instant
from mailstack.store.sql.database import Database, Transaction

FORGET = "DELETE FROM crowd WHERE worker = ? OR ends_at <= ?"
TELL = "INSERT INTO crowd (worker, peer, node, connections, ends_at) VALUES (?, ?, ?, ?, ?)"
ELSEWHERE = """SELECT peer, CAST(SUM(CASE WHEN node = ? THEN 0 ELSE connections END) AS BIGINT) FROM crowd
    WHERE ends_at > ? GROUP BY peer"""


class SqlCrowds:
    def __init__(self, system: Database) -> None:
        self._system = system

    async def tell(self, worker: str, node: str, counts: Mapping[str, int], *, now: Instant, until: Instant) -> None:
        rows = [(worker, peer, node, connections, until) for peer, connections in counts.items()]

        def work(transaction: Transaction) -> None:
            transaction.run(FORGET, (worker, now))
            transaction.run_many(TELL, rows)

        await self._system.write(work)

    async def elsewhere(self, node: str, *, now: Instant) -> Mapping[str, int]:
        rows = await self._system.rows(ELSEWHERE, (node, now))
        return {str(peer): int(connections) for peer, connections in rows}
