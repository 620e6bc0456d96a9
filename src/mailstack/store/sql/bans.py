"""Who is banned: ports.bans in SQL."""

from collections.abc import Sequence

from mailstack.model.conduct import REMEMBERED_MS, Ban
from mailstack.model.instant import Instant
from mailstack.ports.bus import BAN_TOPIC
from mailstack.store.sql.database import Database, Transaction

MOST = 100_000

PUT = """INSERT INTO ban (peer, reason, since, ends_at, times) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (peer) DO UPDATE SET reason = excluded.reason, since = excluded.since, ends_at = excluded.ends_at,
    times = excluded.times"""
FORGET = "DELETE FROM ban WHERE ends_at <= ?"
LAST = "SELECT peer, reason, since, ends_at, times FROM ban WHERE peer = ?"
IN_FORCE = """SELECT peer, reason, since, ends_at, times FROM ban WHERE ends_at > ?
    ORDER BY ends_at DESC, peer LIMIT ?"""
LIFT = "DELETE FROM ban WHERE peer = ? RETURNING peer"


class SqlBans:
    def __init__(self, system: Database) -> None:
        self._system = system

    async def put(self, ban: Ban) -> None:
        def work(transaction: Transaction) -> None:
            transaction.run(FORGET, (ban.since - REMEMBERED_MS,))
            transaction.run(PUT, (ban.peer, ban.reason, ban.since, ban.until, ban.times))
            transaction.announce(BAN_TOPIC)

        await self._system.write(work)

    async def last(self, peer: str) -> Ban | None:
        row = await self._system.row(LAST, (peer,))
        return None if row is None else _ban(row)

    async def in_force(self, *, now: Instant) -> Sequence[Ban]:
        return [_ban(row) for row in await self._system.rows(IN_FORCE, (now, MOST))]

    async def lift(self, peer: str) -> bool:
        def work(transaction: Transaction) -> bool:
            is_lifted = transaction.row(LIFT, (peer,)) is not None
            if is_lifted:
                transaction.announce(BAN_TOPIC)
            return is_lifted

        return await self._system.write(work)


def _ban(row: Sequence[object]) -> Ban:
    peer, reason, since, until, times = row
    return Ban(
        peer=str(peer),
        reason=str(reason),
        since=Instant(int(str(since))),
        until=Instant(int(str(until))),
        times=int(str(times)),
    )
