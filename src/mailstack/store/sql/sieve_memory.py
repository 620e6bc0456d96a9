"""What delivery remembers for scripts: ports.sieve_memory in SQL."""

import hashlib
from collections.abc import Sequence
from functools import partial

from mailstack.model.ids import AccountId
from mailstack.model.instant import Instant
from mailstack.model.sieve_memory import Purpose
from mailstack.ports.sieve_memory import MOST_KEYS
from mailstack.store.sql.database import Database, Row, Transaction

FIND = "SELECT 1 FROM sieve_memory WHERE account_id = ? AND purpose = ? AND key_digest = ? AND ends_at > ?"
CLAIM = """INSERT INTO sieve_memory (account_id, purpose, key_digest, ends_at) VALUES (?, ?, ?, ?)
    ON CONFLICT (account_id, purpose, key_digest) DO UPDATE SET ends_at = excluded.ends_at
    WHERE sieve_memory.ends_at <= ?
    RETURNING 1"""
NOTE = """INSERT INTO sieve_memory (account_id, purpose, key_digest, ends_at) VALUES (?, ?, ?, ?)
    ON CONFLICT (account_id, purpose, key_digest) DO UPDATE SET ends_at = excluded.ends_at
    WHERE sieve_memory.ends_at < excluded.ends_at"""
BOUND = """DELETE FROM sieve_memory WHERE account_id = ?1 AND purpose = ?2 AND (ends_at, key_digest) <= (
    SELECT ends_at, key_digest FROM sieve_memory WHERE account_id = ?1 AND purpose = ?2
    ORDER BY ends_at DESC, key_digest DESC LIMIT 1 OFFSET ?3)"""
FORGET_SOME = """DELETE FROM sieve_memory WHERE (account_id, purpose, key_digest) IN (
    SELECT account_id, purpose, key_digest FROM sieve_memory WHERE ends_at <= ? LIMIT ?)"""
FORGET_MEMORY = "DELETE FROM sieve_memory WHERE account_id = ?"
FORGOTTEN_AT_ONCE = 1_000


class SqlSieveMemory:
    def __init__(self, system: Database) -> None:
        self._system = system

    async def is_known(self, account_id: AccountId, purpose: Purpose, key: str, *, now: Instant) -> bool:
        return await self._system.row(FIND, (account_id, purpose, _digest(key), now)) is not None

    async def claim(self, account_id: AccountId, purpose: Purpose, key: str, *, now: Instant, until: Instant) -> bool:
        # Most who ask come too late, and need not write.
        if await self.is_known(account_id, purpose, key, now=now):
            return False

        def work(transaction: Transaction) -> bool:
            is_first = transaction.row(CLAIM, (account_id, purpose, _digest(key), until, now)) is not None
            if is_first:
                transaction.run(BOUND, (account_id, purpose, MOST_KEYS))
            return is_first

        return await self._system.write(work)

    async def note(self, account_id: AccountId, purpose: Purpose, keys: Sequence[tuple[str, Instant]]) -> None:
        # Sorted: writers who take rows in one order do not wait for each other in a circle.
        rows: list[Row] = sorted((account_id, purpose, _digest(key), until) for key, until in keys)

        def work(transaction: Transaction) -> None:
            transaction.run_many(NOTE, rows)
            transaction.run(BOUND, (account_id, purpose, MOST_KEYS))

        await self._system.write(work)

    async def forget(self, *, now: Instant) -> int:
        forgotten = 0
        while True:
            count = await self._system.write(partial(_forget_some, now), is_long=True)
            forgotten += count
            if count < FORGOTTEN_AT_ONCE:
                return forgotten


def _forget_some(now: Instant, transaction: Transaction) -> int:
    return transaction.run_counted(FORGET_SOME, (now, FORGOTTEN_AT_ONCE))


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
