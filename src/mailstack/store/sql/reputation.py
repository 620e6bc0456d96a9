"""How much mail of senders was wanted: ports.reputation in SQL."""

import json
from collections.abc import Mapping, Sequence
from functools import partial

from mailstack.model.reputation import Counts
from mailstack.ports.reputation import SubjectVoice
from mailstack.store.sql.database import Database, Row, Transaction

# What was forgotten and is taken back after that goes below zero.
FIND = """SELECT subject, SUM(CASE WHEN ham > ? THEN ? WHEN ham < 0 THEN 0 ELSE ham END),
        SUM(CASE WHEN spam > ? THEN ? WHEN spam < 0 THEN 0 ELSE spam END)
    FROM reputation WHERE subject IN (SELECT value FROM json_each(?) AS listed) GROUP BY subject"""
ADD = """INSERT INTO reputation (subject, voice, ham, spam) VALUES (?, ?, ?, ?)
    ON CONFLICT (subject, voice) DO UPDATE SET ham = reputation.ham + excluded.ham,
    spam = reputation.spam + excluded.spam"""
FORGET = "DELETE FROM reputation WHERE ham + spam < ?"
BOUND = """DELETE FROM reputation WHERE (subject, voice) IN (
    SELECT subject, voice FROM reputation ORDER BY ham + spam DESC, subject, voice LIMIT ? OFFSET ?)"""
FORGOTTEN_AT_ONCE = 10_000


class SqlReputation:
    def __init__(self, system: Database) -> None:
        self._system = system

    async def find(self, subjects: Sequence[int], *, most: float) -> Mapping[int, Counts]:
        rows = await self._system.rows(FIND, (most, most, most, most, json.dumps([*subjects])))
        return {int(subject): Counts(float(ham), float(spam)) for subject, ham, spam in rows}

    async def add(self, said: Mapping[SubjectVoice, Counts]) -> None:
        # Sorted: as in store.sql.sieve_memory.
        rows: list[Row] = sorted((*key, counts.ham, counts.spam) for key, counts in said.items())
        await self._system.write(lambda transaction: transaction.run_many(ADD, rows), is_long=True)

    async def forget(self, *, below: float) -> int:
        return await self._system.write(lambda transaction: transaction.run_counted(FORGET, (below,)), is_long=True)

    async def bound(self, most_rows: int) -> int:
        forgotten = 0
        while True:
            count = await self._system.write(partial(_bound_some, most_rows), is_long=True)
            forgotten += count
            if count < FORGOTTEN_AT_ONCE:
                return forgotten


def _bound_some(most_rows: int, transaction: Transaction) -> int:
    return transaction.run_counted(BOUND, (FORGOTTEN_AT_ONCE, most_rows))
