"""What writers and the collector of garbage tell each other about objects in a bucket, in the table blob_object.

named: a writer has claimed it, and its rows name it or did. marked: no row named it at a look. deleting: none did at a
second one; nobody may claim it from here on. deleted: it is gone, and the row stays for a while yet, for a request to
delete it may be late. Writers and collector meet at the row's lock: whoever comes second sees what the first has done.
"""

from collections.abc import Sequence

from mailstack.model.instant import Instant
from mailstack.store.sql.database import Database, Row, Transaction

AT_ONCE = 100
"""Objects in one statement."""
_MANY = ", ".join("?" * AT_ONCE)

CLAIM = """INSERT INTO blob_object (file, state, since) VALUES (?, 'named', 0)
    ON CONFLICT (file) DO UPDATE
    SET state = CASE WHEN blob_object.state = 'marked' THEN 'named' ELSE blob_object.state END RETURNING state"""
NAMED = f"""SELECT file FROM blob WHERE file IN ({_MANY})
    UNION SELECT file FROM mail WHERE file IN ({_MANY})
    UNION SELECT file FROM upload WHERE file IN ({_MANY})"""  # noqa: S608 - question marks
MARK = """INSERT INTO blob_object (file, state, since) VALUES (?, 'marked', ?)
    ON CONFLICT (file) DO UPDATE SET state = 'marked', since = excluded.since WHERE blob_object.state = 'named'"""
IN_STATE = "SELECT file FROM blob_object WHERE state = ? AND since <= ? ORDER BY since, file LIMIT ?"
LOCK_MARKED = f"""SELECT file FROM blob_object WHERE file IN ({_MANY}) AND state = 'marked' AND since <= ?
    ORDER BY file FOR UPDATE"""  # noqa: S608
CHANGE = "UPDATE blob_object SET state = ?, since = ? WHERE file = ?"
BURY = "UPDATE blob_object SET state = 'deleted', since = ? WHERE file = ? AND state = 'deleting'"
EXHUME = f"""UPDATE blob_object SET state = 'deleting', since = ? WHERE file IN ({_MANY}) AND state = 'deleted'
    RETURNING file"""  # noqa: S608
FORGET = "DELETE FROM blob_object WHERE state = 'deleted' AND since <= ?"


def claim(transaction: Transaction, files: Sequence[str]) -> list[str]:
    """Returns those that may not be named any more; then the transaction must not commit."""
    # In one order everywhere, or two writers would wait for each other.
    return [file for file in sorted(set(files)) if transaction.one(CLAIM, (file,))[0] != "named"]


class SqlObjects:
    """store.s3.collector.Objects. files: AT_ONCE at most."""

    def __init__(self, system: Database) -> None:
        self._system = system

    async def named(self, files: Sequence[str]) -> frozenset[str]:
        asked = _padded(files)
        return _files(await self._system.read_long(lambda connection: connection.rows(NAMED, asked * 3)))

    async def mark(self, files: Sequence[str], *, now: Instant) -> None:
        def work(transaction: Transaction) -> None:
            transaction.run_many(MARK, [(file, now) for file in sorted(files)])

        await self._system.write(work)

    async def marked(self, *, before: Instant) -> Sequence[str]:
        return await self._in_state("marked", before)

    async def condemn(self, files: Sequence[str], *, before: Instant, now: Instant) -> Sequence[str]:
        asked = _padded(files)

        def work(transaction: Transaction) -> list[str]:
            marked = _files(transaction.rows(LOCK_MARKED, (*asked, before)))
            # A statement of its own, after the locks: one statement would see the rows as they were before it waited.
            sure = _padded(sorted(marked))
            named = _files(transaction.rows(NAMED, sure * 3)) if marked else frozenset()
            condemned = sorted(marked - named)
            transaction.run_many(CHANGE, [("named", 0, file) for file in sorted(marked & named)])
            transaction.run_many(CHANGE, [("deleting", now, file) for file in condemned])
            return condemned

        return await self._system.write(work)

    async def condemned(self) -> Sequence[str]:
        return await self._in_state("deleting", _EVER)

    async def bury(self, files: Sequence[str], *, now: Instant) -> None:
        def work(transaction: Transaction) -> None:
            transaction.run_many(BURY, [(now, file) for file in sorted(files)])

        await self._system.write(work)

    async def exhume(self, files: Sequence[str], *, now: Instant) -> Sequence[str]:
        asked = _padded(files)
        return await self._system.write(lambda transaction: sorted(_files(transaction.rows(EXHUME, (now, *asked)))))

    async def forget(self, *, before: Instant) -> None:
        await self._system.write(lambda transaction: transaction.run(FORGET, (before,)))

    async def _in_state(self, state: str, before: Instant) -> Sequence[str]:
        rows = await self._system.rows(IN_STATE, (state, before, AT_ONCE))
        return [file for (file,) in rows]


_EVER = Instant((1 << 62) - 1)


def _padded(files: Sequence[str]) -> tuple[str, ...]:
    """One statement for any number of them."""
    return (*files, *("",) * (AT_ONCE - len(files)))


def _files(rows: Sequence[Row]) -> frozenset[str]:
    return frozenset(file for (file,) in rows)
