"""Proofs for certificate authorities: ports.challenges in SQL."""

from collections.abc import Sequence

from mailstack.model.challenge import Challenge, ChallengeKind
from mailstack.model.instant import Clock, Instant
from mailstack.ports.bus import CHALLENGE_TOPIC
from mailstack.store.sql.database import Database, Transaction

PUT = """INSERT INTO challenge (kind, name, value, ends_at) VALUES (?, ?, ?, ?)
    ON CONFLICT (kind, name) DO UPDATE SET value = excluded.value, ends_at = excluded.ends_at"""
FORGET_ENDED = "DELETE FROM challenge WHERE ends_at <= ?"
FIND = "SELECT value, ends_at FROM challenge WHERE kind = ? AND name = ? AND ends_at > ?"
NAMES = "SELECT name FROM challenge WHERE kind = ? AND ends_at > ? ORDER BY name"
REMOVE = "DELETE FROM challenge WHERE kind = ? AND name = ?"


class SqlChallenges:
    def __init__(self, system: Database, *, clock: Clock) -> None:
        self._system = system
        self._clock = clock

    async def put(self, challenge: Challenge) -> None:
        row = (challenge.kind, challenge.name, challenge.value, challenge.until)

        def work(transaction: Transaction) -> None:
            transaction.run(FORGET_ENDED, (self._clock(),))
            transaction.run(PUT, row)
            transaction.announce(CHALLENGE_TOPIC)

        await self._system.write(work)

    async def find(self, kind: ChallengeKind, name: str, *, now: Instant) -> Challenge | None:
        row = await self._system.row(FIND, (kind, name, now))
        return None if row is None else Challenge(kind=kind, name=name, value=row[0], until=Instant(row[1]))

    async def names(self, kind: ChallengeKind, *, now: Instant) -> Sequence[str]:
        return [str(name) for (name,) in await self._system.rows(NAMES, (kind, now))]

    async def remove(self, kind: ChallengeKind, name: str) -> None:
        def work(transaction: Transaction) -> None:
            transaction.run(REMOVE, (kind, name))
            transaction.announce(CHALLENGE_TOPIC)

        await self._system.write(work)
