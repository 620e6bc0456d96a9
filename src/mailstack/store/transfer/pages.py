"""The rows of a table page by page, and the writing of many small pages in few transactions."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from mailstack.model.errors import TryAgainLater
from mailstack.store.sql.blobs import Blob, HeldBlobs, Retired
from mailstack.store.sql.database import Database, Row, Transaction, Value
from mailstack.store.transfer.tables import PAGE_ROWS, Table

MOST_ROWS = 4 * PAGE_ROWS
MOST_BYTES = 4 << 20
"""Of one transaction, unless a single row is larger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """Of all rows in the order of their keys."""

    rows: int
    sha256: str


async def pages(database: Database, table: Table) -> AsyncIterator[list[Row]]:
    width = len(table.key)
    rows = await database.rows(table.first_page)
    while rows:
        yield [row[width:] for row in rows]
        if len(rows) < PAGE_ROWS:
            return
        rows = await database.rows(table.next_page, rows[-1][:width])


async def digest_of(database: Database, table: Table) -> Digest:
    running, count = hashlib.sha256(), 0
    async for rows in pages(database, table):
        running.update(repr(rows).encode())
        count += len(rows)
    return Digest(rows=count, sha256=running.hexdigest())


class Loader:
    """Writes to one holder's tables. What is added is durable after flush."""

    def __init__(self, database: Database, held: HeldBlobs) -> None:
        self._database = database
        self._held = held
        self._parts: list[tuple[str, Sequence[Sequence[Value]]]] = []
        self._blobs: list[Blob] = []
        self._rows = 0
        self._bytes = 0

    def first(self, *statements: str) -> None:
        """Before what is added after it, in the same transaction."""
        self._parts += [(statement, [()]) for statement in statements]

    async def add(self, insert: str, rows: Sequence[Sequence[Value]], blobs: Sequence[Blob] = ()) -> None:
        self._parts.append((insert, rows))
        self._blobs += [blob for blob in blobs if blob.file is not None]
        self._rows += len(rows)
        self._bytes += sum(len(value) for row in rows for value in row if isinstance(value, bytes | str))
        if self._rows >= MOST_ROWS or self._bytes >= MOST_BYTES:
            await self.flush()

    async def flush(self) -> None:
        parts, blobs = self._parts, self._blobs
        self._parts, self._blobs, self._rows, self._bytes = [], [], 0, 0

        def work(transaction: Transaction) -> None:
            self._held.claim(transaction, blobs)
            for statement, rows in parts:
                transaction.run_many(statement, rows)

        try:
            await self._database.write(work, is_long=True)
        except Retired as fault:
            raise TryAgainLater(f"objects are being deleted that the copy names: {fault}; run it again") from fault
