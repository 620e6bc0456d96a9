"""Group commit: what is written to one file at the same time shares one transaction and one fsync.

A few threads serve all files; one file is served by one thread at a time. Each request runs in a savepoint of its own,
so that one that fails takes no other with it. Not a lock between processes: BEGIN IMMEDIATE is that.

A request's work may run twice (a group that fails as a whole is tried again one by one), so it has no effect outside
the transaction; what must happen outside is handed to Transaction.after_commit.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

import structlog

from mailstack.model.errors import DomainError, TryAgainLater
from mailstack.store.sqlite.connection import Connection, Row, Value

log = structlog.get_logger()

Result = TypeVar("Result")

MAX_GROUP = 64
MAX_PENDING = 4096
CHECKPOINT_BYTES = 1 << 20


class Transaction:
    """What a request's work is given: the statements of one connection, and what follows once they are durable."""

    __slots__ = ("_connection", "announced", "following")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.announced: set[str] = set()
        self.following: list[Callable[[], None]] = []

    def rows(self, sql: str, values: Sequence[Value] = ()) -> list[Row]:
        return self._connection.rows(sql, values)

    def row(self, sql: str, values: Sequence[Value] = ()) -> Row | None:
        return self._connection.row(sql, values)

    def one(self, sql: str, values: Sequence[Value] = ()) -> Row:
        return self._connection.one(sql, values)

    def run(self, sql: str, values: Sequence[Value] = ()) -> None:
        self._connection.run(sql, values)

    def run_many(self, sql: str, sequence: Iterable[Sequence[Value]]) -> None:
        self._connection.run_many(sql, sequence)

    def run_counted(self, sql: str, values: Sequence[Value] = ()) -> int:
        """How many rows it wrote."""
        self._connection.run(sql, values)
        return self._connection.changed_rows()

    def announce(self, topic: str) -> None:
        """Published on the bus after the commit."""
        self.announced.add(topic)

    def after_commit(self, step: Callable[[], None]) -> None:
        """Runs in the writer's thread. It may be lost in a crash, so it only tidies up."""
        self.following.append(step)


Work = Callable[[Transaction], Result]


class _Request(Generic[Result]):
    __slots__ = ("fault", "future", "result", "work")

    def __init__(self, work: Work[Result], future: "asyncio.Future[Result]") -> None:
        self.work = work
        self.future = future
        self.result: Result | None = None
        self.fault: BaseException | None = None

    def resolve(self) -> None:
        """On the loop; a caller that was cancelled no longer listens."""
        if self.future.done():
            return
        if self.fault is not None:
            self.future.set_exception(self.fault)
        else:
            self.future.set_result(self.result)  # type: ignore[arg-type]  # a Result since work returned it


class WritableFile:
    """The write side of one database file."""

    def __init__(self, connection: Connection, *, page_size: int) -> None:
        self.connection = connection
        self._checkpoint_pages = CHECKPOINT_BYTES // page_size
        self._guard = threading.Lock()
        self._pending: deque[_Request[Any]] = deque()
        self._is_served = False

    @property
    def is_idle(self) -> bool:
        return not self._is_served and not self._pending

    def add(self, request: "_Request[Any]") -> bool:
        """True when a thread must be sent."""
        with self._guard:
            if len(self._pending) >= MAX_PENDING:
                raise TryAgainLater(f"{self.connection.path} has too many writes waiting")
            self._pending.append(request)
            if self._is_served:
                return False
            self._is_served = True
            return True

    def take(self) -> list["_Request[Any]"]:
        with self._guard:
            return [self._pending.popleft() for _ in range(min(len(self._pending), MAX_GROUP))]

    def finish(self) -> bool:
        """True when more has come meanwhile."""
        with self._guard:
            self._is_served = bool(self._pending)
            return self._is_served

    def tidy(self) -> None:
        """Moves the log into the file when it has grown; here, so that no request waits for it."""
        if self.connection.wal_pages >= self._checkpoint_pages:
            self.connection.checkpoint()


class Writer:
    """Owns the threads. publish: called on the loop with each topic announced."""

    def __init__(self, *, threads: int, publish: Callable[[str], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._publish = publish
        self._ready: SimpleQueue[WritableFile | None] = SimpleQueue()
        self._outstanding = 0
        self._is_idle = asyncio.Event()
        self._is_idle.set()
        self._threads = [
            threading.Thread(target=self._serve, name=f"store-writer-{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    async def write(self, file: WritableFile, work: Work[Result]) -> Result:
        """Returns when it is durable. Raises what work raises, TryAgainLater when the file cannot be written."""
        future: asyncio.Future[Result] = self._loop.create_future()
        must_wake = file.add(_Request(work, future))
        self._outstanding += 1
        self._is_idle.clear()
        if must_wake:
            self._ready.put(file)
        return await future

    async def close(self) -> None:
        """After what is pending has been written."""
        await self._is_idle.wait()
        for _ in self._threads:
            self._ready.put(None)
        await asyncio.gather(*(asyncio.to_thread(thread.join) for thread in self._threads))

    def _serve(self) -> None:
        while (file := self._ready.get()) is not None:
            self._commit(file)
            if file.finish():
                self._ready.put(file)  # behind the others: a busy account delays no quiet one

    def _commit(self, file: WritableFile) -> None:
        requests = file.take()
        following = _commit_group(file.connection, requests)
        topics = {topic for transaction in following for topic in transaction.announced}
        with suppress(RuntimeError):  # the loop was closed under us: what was written is written
            self._loop.call_soon_threadsafe(self._resolve, requests, topics)
        try:
            for transaction in following:
                for step in transaction.following:
                    step()
            file.tidy()
        except (DomainError, OSError) as fault:
            log.warning("store tidying failed", path=str(file.connection.path), error=str(fault))

    def _resolve(self, requests: list[_Request[Any]], topics: set[str]) -> None:
        for request in requests:
            request.resolve()
        for topic in topics:
            self._publish(topic)
        self._outstanding -= len(requests)
        if not self._outstanding:
            self._is_idle.set()


def _commit_group(connection: Connection, requests: Sequence[_Request[Any]]) -> list[Transaction]:
    """One fsync for all; the transactions that are durable now."""
    if len(requests) == 1:
        return _commit_one(connection, requests[0])
    committed: list[Transaction] = []
    try:
        connection.run("BEGIN IMMEDIATE")
        for request in requests:
            transaction = _run_in_savepoint(connection, request)
            if transaction is not None:
                committed.append(transaction)
        connection.run("COMMIT")
    except Exception:  # noqa: BLE001  # whatever it is, each request meets it again alone, and it goes to its caller
        _roll_back(connection)
        return [done for request in requests for done in _commit_one(connection, request)]
    return committed


def _run_in_savepoint(connection: Connection, request: _Request[Any]) -> Transaction | None:
    """None when the work failed and was undone; raises when the whole transaction is gone with it."""
    request.fault = None
    transaction = Transaction(connection)
    connection.run("SAVEPOINT request")
    try:
        request.result = request.work(transaction)
    except Exception as fault:  # noqa: BLE001  # it is raised where the request came from
        request.fault = fault
        connection.run("ROLLBACK TO request")
        connection.run("RELEASE request")
        return None
    connection.run("RELEASE request")
    return transaction


def _commit_one(connection: Connection, request: _Request[Any]) -> list[Transaction]:
    request.fault = None
    transaction = Transaction(connection)
    try:
        connection.run("BEGIN IMMEDIATE")
        request.result = request.work(transaction)
        connection.run("COMMIT")
    except Exception as fault:  # noqa: BLE001  # it is raised where the request came from
        request.fault = fault
        _roll_back(connection)
        return []
    return [transaction]


def _roll_back(connection: Connection) -> None:
    # SQLite has rolled back by itself after a full disk or an I/O fault.
    if not connection.in_transaction:
        return
    try:
        connection.run("ROLLBACK")
    except DomainError as fault:
        log.error("rollback failed", path=str(connection.path), error=str(fault))
