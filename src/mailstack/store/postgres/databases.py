"""store.sql.database's Database and Databases: whose rows, how reads and writes are carried out, tried again, settled.

A write on an account's rows locks the account's counter first, in the round trip of its BEGIN: the writers of one
account queue up, on all nodes, and what each reads after is current. Within a process they are gathered, and wait for
no connection that others could use.
"""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from functools import partial
from typing import Any

import structlog

from mailstack.model.changes import LogHead
from mailstack.model.errors import Forbidden, NotFound, TryAgainLater
from mailstack.model.ids import AccountId
from mailstack.model.instant import Clock
from mailstack.model.metrics import STORE_BUSY, STORE_COMMITS, STORE_WRITE_SECONDS
from mailstack.ports.metrics import Metrics
from mailstack.store.postgres.dialect import translated
from mailstack.store.postgres.faults import Clashed, Lost
from mailstack.store.postgres.gathering import Gathering
from mailstack.store.postgres.link import Asked, Link, asked
from mailstack.store.postgres.marks import FENCE, MARK
from mailstack.store.postgres.pool import Pool
from mailstack.store.postgres.transaction import BEGIN, PostgresConnection, PostgresTransaction
from mailstack.store.postgres.waiting import Wait, in_greenlet, in_thread
from mailstack.store.sql.database import Reading, Result, Row, Transaction, Value, Work
from mailstack.store.sql.mailboxes import make_standard_mailboxes

log = structlog.get_logger()

RETRY_S = 10.0
SETTLE_S = 60.0
FIRST_PAUSE_S = 0.02
LONGEST_PAUSE_S = 1.0
MOST_KNOWN = 10_000
LONG_AT_ONCE = 4

LOCK = "SELECT mod_seq FROM counter /*whole*/ /*+ FOR UPDATE*/"
KNOWN = """SELECT (SELECT 1 FROM counter c WHERE c.account_id = a.account_id) FROM account a
    WHERE a.account_id = ?"""
HEADS = """SELECT account_id, mod_seq, last_message_id, used_bytes FROM counter
    WHERE account_id = ANY (string_to_array(?, ' '))"""
# Of an account that is in the directory, and stays there until this is done: one that left it gets no rows.
MAKE_COUNTER = """INSERT INTO counter (account_id, mod_seq, floor_mod_seq, last_mailbox_id, last_message_id,
        last_uid_validity, used_bytes, is_closed)
    SELECT account_id, 1, 1, 0, 0, 0, 0, 0 FROM account /*whole*/ /*+ FOR SHARE*/ ON CONFLICT DO NOTHING"""
MAKE_SEARCH_STATE = "INSERT INTO search_state (/*key*/ indexed_up_to) VALUES (/*value*/ 0) ON CONFLICT DO NOTHING"


Attempt = Callable[[], Coroutine[Any, Any, Result]]


class Engine:
    """What all databases of one store share. blob_threads: for what waits for a bucket, apart from those that read the
    database: one that does not answer holds up nobody who wants none of it."""

    def __init__(
        self,
        name: str,
        pool: Pool,
        *,
        threads: ThreadPoolExecutor,
        blob_threads: ThreadPoolExecutor,
        clock: Clock,
        publish: Callable[[str], None],
        is_read_only: bool,
        metrics: Metrics,
    ) -> None:
        self.name = name
        self.pool = pool
        self.threads = threads
        self.blob_threads = blob_threads
        self.clock = clock
        self.publish = publish
        self.is_read_only = is_read_only
        self.metrics = metrics
        # What is long waits for a thread before it takes a connection: the short need those.
        self.long_turn = asyncio.Semaphore(LONG_AT_ONCE)
        self._at_work: set[asyncio.Task[Any]] = set()
        self.is_away = False

    async def tried(
        self, attempt: Callable[[], Coroutine[Any, Any, Result]], *, within_s: float | None = None
    ) -> Result:
        """Again and again, for what is nobody's fault. Raises TryAgainLater once it has taken too long."""
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + (RETRY_S if within_s is None else within_s)
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                result = await attempt()
            except (Lost, Clashed) as fault:
                if loop.time() + pause_s > deadline_s:
                    self._note(fault)
                    raise TryAgainLater(f"{self.name} cannot be used: {fault}") from fault
                self.metrics.add(STORE_BUSY)
                log.debug("database asked again", database=self.name, error=str(fault))
            else:
                if self.is_away:
                    self.is_away = False
                    log.info("database is back", database=self.name)
                return result
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def _note(self, fault: Lost | Clashed) -> None:
        """One line for each time that it goes away, not one for everybody who waits for it."""
        if isinstance(fault, Lost) and not self.is_away:
            self.is_away = True
            log.error("database cannot be used", database=self.name, error=str(fault))

    async def detached(self, work: Coroutine[Any, Any, Result]) -> Result:
        """It goes on to its end when the caller is cancelled: half a COMMIT helps nobody."""
        return await asyncio.shield(self.begin(work))

    def begin(self, work: Coroutine[Any, Any, Result]) -> "asyncio.Task[Result]":
        """Nobody cancels it, and close waits for it."""
        task = asyncio.get_running_loop().create_task(work)
        self._at_work.add(task)
        task.add_done_callback(self._done)
        return task

    def after(self, steps: Sequence[Callable[[], None]]) -> None:
        """In a thread; nobody waits for it but close."""
        self.begin(self._follow(steps))

    async def was_committed(self, mark: tuple[str, int]) -> bool:
        """Of a transaction whose COMMIT nobody has answered. Afterwards it can no longer be."""
        link_id, number = mark

        async def fenced() -> bool:
            link = await self.pool.take()
            try:
                (answer,) = await link.exchange([asked(translated(FENCE), None, (link_id,))])
            finally:
                self.pool.give_back(link)
            return bool(answer.rows[0][0] >= number)

        async def ask() -> bool:
            try:
                return await fenced()
            except TryAgainLater as fault:  # whoever is told so does it again, and it may be done: it is worth the wait
                raise Lost(fault.detail) from fault

        return await self.tried(ask, within_s=SETTLE_S)

    async def close(self) -> None:
        """Once what is at work is done."""
        while self._at_work:
            await asyncio.wait(self._at_work)
        await self.pool.close()
        for threads in (self.threads, self.blob_threads):
            await asyncio.to_thread(threads.shutdown)

    async def _follow(self, steps: Sequence[Callable[[], None]]) -> None:
        for step in steps:
            try:
                await asyncio.get_running_loop().run_in_executor(self.blob_threads, step)
            except Exception:  # what only tidies up holds up nobody
                log.exception("store tidying failed", database=self.name)

    def _done(self, task: "asyncio.Task[Any]") -> None:
        self._at_work.discard(task)
        if not task.cancelled():
            task.exception()  # the caller has it, unless it was cancelled


class PostgresDatabase:
    """account_id: None for the system's tables, whose writers do not wait for each other."""

    def __init__(self, engine: Engine, account_id: AccountId | None) -> None:
        self.name = engine.name if account_id is None else f"account {account_id}"
        self._engine = engine
        self._account_id = account_id
        self._gathering = None if account_id is None else Gathering(self._write, start=engine.begin)
        self._first = () if account_id is None else (asked(translated(LOCK), account_id, ()),)

    async def rows(self, sql: str, values: Sequence[Value] = ()) -> list[Row]:
        one = asked(translated(sql), self._account_id, values)
        if not self._engine.is_away:
            with suppress(Lost, Clashed):
                return await self._exchange(one)  # most of all that is ever asked, so by the shortest way
        return await self._engine.tried(partial(self._exchange, one))

    async def row(self, sql: str, values: Sequence[Value] = ()) -> Row | None:
        found = await self.rows(sql, values)
        return found[0] if found else None

    async def one(self, sql: str, values: Sequence[Value] = ()) -> Row:
        return (await self.rows(sql, values))[0]

    async def read(self, reading: Reading[Result]) -> Result:
        return await self._engine.tried(partial(self._read, reading))

    async def read_long(self, reading: Reading[Result]) -> Result:
        """All of it is true of one moment. When the caller is cancelled it goes on to its end: its thread has the link
        until then, which nobody else may be given."""
        return await self._engine.detached(self._engine.tried(partial(self._read_long, reading)))

    async def write(self, work: Work[Result], *, is_long: bool = False) -> Result:
        if self._engine.is_read_only:
            raise Forbidden(f"{self._engine.name} was opened for reading only")
        loop = asyncio.get_running_loop()
        began_at = loop.time()
        try:
            if self._gathering is None:
                return await self._engine.detached(self._write(work, is_long=is_long))
            return await self._gathering.write(work, is_long=is_long)
        finally:
            self._engine.metrics.observe(STORE_WRITE_SECONDS, loop.time() - began_at)

    async def in_thread(self, work: Callable[..., Result], *arguments: object) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._engine.blob_threads, work, *arguments)

    async def _exchange(self, one: Asked) -> list[Row]:
        link = await self._engine.pool.take()
        try:
            (answer,) = await link.exchange([one])
            return answer.rows
        finally:
            self._engine.pool.give_back(link)

    async def _read(self, reading: Reading[Result]) -> Result:
        link = await self._engine.pool.take()
        try:
            return await in_greenlet(lambda wait: reading(PostgresConnection(link, self._account_id, wait)))
        finally:
            self._engine.pool.give_back(link)

    async def _read_long(self, reading: Reading[Result]) -> Result:
        async with self._engine.long_turn:
            link = await self._engine.pool.take()

            def read(wait: Wait) -> Result:
                connection = PostgresConnection(link, self._account_id, wait)
                with connection.snapshot():
                    return reading(connection)

            try:
                return await in_thread(self._engine.threads, read)
            finally:
                self._engine.pool.give_back(link)

    async def _write(self, work: Work[Result], /, *, is_long: bool) -> Result:
        async with self._engine.long_turn if is_long else nullcontext():
            transaction, result = await self._engine.tried(partial(self._attempt, work, is_long))
        self._engine.metrics.add(STORE_COMMITS)
        for topic in transaction.announced:
            self._engine.publish(topic)
        if transaction.following:
            self._engine.after(transaction.following)
        return result

    async def _attempt(self, work: Work[Result], is_long: bool) -> tuple[PostgresTransaction, Result]:
        link = await self._engine.pool.take()
        mark = link.next_mark()
        try:
            transaction, result = await self._run(link, work, is_long)
            try:
                await transaction.commit()
            except Lost as fault:
                lost = fault
            except BaseException:  # what was queued failed, and the COMMIT behind it was passed over
                await link.roll_back()
                raise
            else:
                link.marks += 1
                return transaction, result
        finally:
            self._engine.pool.give_back(link)
        if not await self._engine.was_committed(mark):
            raise lost
        return transaction, result

    async def _run(self, link: Link, work: Work[Result], is_long: bool) -> tuple[PostgresTransaction, Result]:
        """All but the COMMIT."""
        first = (BEGIN, asked(translated(MARK), None, link.next_mark()), *self._first)

        def run(wait: Wait) -> tuple[PostgresTransaction, Result]:
            transaction = PostgresTransaction(link, self._account_id, wait, first=first)
            return transaction, work(transaction)

        try:
            return await (in_thread(self._engine.threads, run) if is_long else in_greenlet(run))
        except BaseException:  # whatever it was, nothing of it stays
            await link.roll_back()
            raise


class AccountDatabases:
    def __init__(self, engine: Engine, system: PostgresDatabase) -> None:
        self._engine = engine
        self._system = system
        self._known: dict[AccountId, PostgresDatabase] = {}

    async def get(self, account_id: AccountId) -> PostgresDatabase:
        known = self._known.get(account_id)
        if known is None:
            known = await self._looked_up(account_id)
        return known

    async def heads(self, account_ids: Collection[AccountId]) -> Mapping[AccountId, LogHead]:
        rows = await self._system.rows(HEADS, (" ".join(account_ids),))
        return {AccountId(account_id): LogHead(*head) for account_id, *head in rows}

    def forget(self) -> None:
        """Who is in the directory, when it changes."""
        self._known.clear()

    async def _looked_up(self, account_id: AccountId) -> PostgresDatabase:
        found = await self._system.row(KNOWN, (account_id,))
        if found is None:
            raise NotFound(f"there is no account {account_id}")
        database = PostgresDatabase(self._engine, account_id)
        if found[0] is None:
            await self._make(account_id, database)
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        return self._known.setdefault(account_id, database)

    async def _make(self, account_id: AccountId, database: PostgresDatabase) -> None:
        if self._engine.is_read_only:
            raise NotFound(f"account {account_id} holds nothing yet")

        def work(transaction: Transaction) -> None:
            transaction.run(MAKE_COUNTER)
            transaction.run(MAKE_SEARCH_STATE)
            make_standard_mailboxes(transaction, self._engine.clock())

        await database.write(work)
