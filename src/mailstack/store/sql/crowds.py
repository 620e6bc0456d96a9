"""Peers with many connections: ports.crowds in SQL. Only many nodes have the table."""

import json
from collections.abc import Collection, Mapping

from mailstack.model.instant import Instant
from mailstack.store.sql.database import Database

TELL = """INSERT INTO crowd (worker, peer, node, connections, ends_at) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (worker, peer) DO UPDATE SET connections = excluded.connections, ends_at = excluded.ends_at"""
FORGET = "DELETE FROM crowd WHERE ends_at <= ?"
ELSEWHERE = """SELECT peer, CAST(SUM(CASE WHEN node = ? THEN 0 ELSE connections END) AS BIGINT) FROM crowd
    WHERE ends_at > ? AND connections > 0 GROUP BY peer"""
HOLDERS = """SELECT peer, worker, connections FROM crowd
    WHERE peer IN (SELECT value FROM json_each(?) AS texts) AND ends_at > ? AND connections > 0"""


class SqlCrowds:
    def __init__(self, system: Database) -> None:
        self._system = system

    async def tell(self, worker: str, node: str, counts: Mapping[str, int], *, until: Instant) -> None:
        rows = [(worker, peer, node, connections, until) for peer, connections in counts.items()]
        await self._system.write(lambda transaction: transaction.run_many(TELL, rows))

    async def forget_ended(self, *, now: Instant) -> None:
        await self._system.write(lambda transaction: transaction.run(FORGET, (now,)))

    async def elsewhere(self, node: str, *, now: Instant) -> Mapping[str, int]:
        rows = await self._system.rows(ELSEWHERE, (node, now))
        return {str(peer): int(connections) for peer, connections in rows}

    async def holders(self, peers: Collection[str], *, now: Instant) -> Mapping[str, Mapping[str, int]]:
        found: dict[str, dict[str, int]] = {}
        for peer, worker, connections in await self._system.rows(HOLDERS, (json.dumps([*peers]), now)):
            found.setdefault(str(peer), {})[str(worker)] = int(connections)
        return found
