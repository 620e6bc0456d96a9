"""Whom accounts know: ports.acquaintances in SQL."""

import json
from collections.abc import Collection, Mapping
from functools import partial

from mailstack.model.acquaintance import Acquaintance, Tie
from mailstack.model.ids import AccountId
from mailstack.model.instant import Instant
from mailstack.ports.acquaintances import MOST_KEYS
from mailstack.store.sql.database import Database, Row, Transaction

FIND = """SELECT tie, key_digest FROM acquaintance WHERE account_id = ?
    AND key_digest IN (SELECT value FROM json_each(?) AS listed) AND ends_at > ?"""
NOTE = """INSERT INTO acquaintance (account_id, key_digest, tie, ends_at) VALUES (?, ?, ?, ?)
    ON CONFLICT (account_id, key_digest, tie) DO UPDATE SET ends_at = excluded.ends_at
    WHERE acquaintance.ends_at < excluded.ends_at"""
BOUND = """DELETE FROM acquaintance WHERE account_id = ?1 AND tie = ?2 AND (ends_at, key_digest) <= (
    SELECT ends_at, key_digest FROM acquaintance WHERE account_id = ?1 AND tie = ?2
    ORDER BY ends_at DESC, key_digest DESC LIMIT 1 OFFSET ?3)"""
PART = "DELETE FROM acquaintance WHERE account_id = ? AND key_digest = ?"
FORGET_SOME = """DELETE FROM acquaintance WHERE (account_id, key_digest, tie) IN (
    SELECT account_id, key_digest, tie FROM acquaintance WHERE ends_at <= ? LIMIT ?)"""
FORGET_ACQUAINTANCES = "DELETE FROM acquaintance WHERE account_id = ?"
FORGOTTEN_AT_ONCE = 1_000


class SqlAcquaintances:
    def __init__(self, system: Database) -> None:
        self._system = system

    async def find(self, account_id: AccountId, keys: Collection[int], *, now: Instant) -> Collection[Acquaintance]:
        rows = await self._system.rows(FIND, (account_id, json.dumps([*keys]), now))
        return [Acquaintance(account_id, Tie(tie), int(key)) for tie, key in rows]

    async def note(self, met: Mapping[Acquaintance, Instant]) -> None:
        # Sorted: as in store.sql.sieve_memory.
        rows: list[Row] = sorted((one.account_id, one.key, one.tie, until) for one, until in met.items())
        kept = sorted({(one.account_id, one.tie, MOST_KEYS) for one in met})

        def work(transaction: Transaction) -> None:
            transaction.run_many(NOTE, rows)
            transaction.run_many(BOUND, kept)

        await self._system.write(work, is_long=True)

    async def part(self, account_id: AccountId, key: int) -> None:
        await self._system.write(lambda transaction: transaction.run(PART, (account_id, key)))

    async def forget(self, *, now: Instant) -> int:
        forgotten = 0
        while True:
            count = await self._system.write(partial(_forget_some, now), is_long=True)
            forgotten += count
            if count < FORGOTTEN_AT_ONCE:
                return forgotten


def _forget_some(now: Instant, transaction: Transaction) -> int:
    return transaction.run_counted(FORGET_SOME, (now, FORGOTTEN_AT_ONCE))
