"""Group commit: what is written to one file at the same time shares one transaction and one fsync.

Short work runs on the loop, and only the COMMIT, which waits for the disk, in a thread: apsw gives up the interpreter's
lock at every statement, and getting it back beside a busy loop costs more than the statement. Long work, and work that
finds the file locked by another process, runs in the thread as a whole. Each request runs in a savepoint of its own, so
that one that fails takes no other with it.

A request's work may run twice (a group that fails as a whole is tried again one by one), so it has no effect outside
the transaction; what must happen outside is handed to Transaction.after_commit.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, Generic

import structlog

from mailstack.model.errors import DomainError, TryAgainLater
from mailstack.model.metrics import STORE_BUSY, STORE_COMMITS, STORE_WRITE_SECONDS
from mailstack.ports.metrics import UNCOUNTED, Metrics
from mailstack.store.sql.database import Question, Result, Row, Value, Work
from mailstack.store.sqlite.connection import Connection

log = structlog.get_logger()

MAX_GROUP = 64
MAX_PENDING = 4096
CHECKPOINT_BYTES = 1 << 20


class Transaction:
    """store.sql.database.Transaction: the statements of one connection, and what follows once they are durable."""

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

    def ask(self, *questions: Question) -> list[list[Row]]:
        return self._connection.ask(*questions)

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


class _Request(Generic[Result]):
    __slots__ = ("began_at", "fault", "future", "is_long", "result", "work")

    def __init__(self, work: Work[Result], future: "asyncio.Future[Result]", *, is_long: bool, began_at: float) -> None:
        self.work = work
        self.future = future
        self.is_long = is_long
        self.began_at = began_at
        self.result: Result | None = None
        self.fault: BaseException | None = None

    def resolve(self) -> None:
        """A caller that was cancelled no longer listens."""
        if self.future.done():
            return
        if self.fault is not None:
            self.future.set_exception(self.fault)
        else:
            self.future.set_result(self.result)  # type: ignore[arg-type]  # a Result since work returned it


class WritableFile:
    """The write side of one database file. While is_busy, its connection belongs to a thread."""

    def __init__(self, connection: Connection, *, page_size: int) -> None:
        self.connection = connection
        self.pending: deque[_Request[Any]] = deque()
        self.is_busy = False
        self._checkpoint_pages = CHECKPOINT_BYTES // page_size

    @property
    def is_idle(self) -> bool:
        return not self.is_busy and not self.pending

    @property
    def is_log_long(self) -> bool:
        return self.connection.log_pages >= self._checkpoint_pages


class Writer:
    """Owns the threads: as many for commits as for long work. publish: called on the loop with each topic announced."""

    def __init__(self, *, threads: int, publish: Callable[[str], None], metrics: Metrics = UNCOUNTED) -> None:
        self._loop = asyncio.get_running_loop()
        self._metrics = metrics
        self._publish = publish
        # Apart, so that no delivery waits behind a long change; few, because threads that wait for the disk are cheap
        # to have and dear to wake.
        self._commits: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._long_jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._busy_files = 0
        self._is_idle = asyncio.Event()
        self._is_idle.set()
        self._threads = [
            threading.Thread(target=_serve, args=(jobs,), name=f"store-{name}-{number}", daemon=True)
            for name, jobs in (("commit", self._commits), ("write", self._long_jobs))
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    async def write(self, file: WritableFile, work: Work[Result], *, is_long: bool = False) -> Result:
        """Returns when it is durable. Raises what work raises, TryAgainLater when the file cannot be written."""
        if len(file.pending) >= MAX_PENDING:
            raise TryAgainLater(f"{file.connection.path} has too many writes waiting")
        future: asyncio.Future[Result] = self._loop.create_future()
        file.pending.append(_Request(work, future, is_long=is_long, began_at=self._loop.time()))
        if not file.is_busy:
            file.is_busy = True
            self._busy_files += 1
            self._is_idle.clear()
            self._start(file)
        return await future

    async def close(self) -> None:
        """After what is pending has been written."""
        await self._is_idle.wait()
        for _ in self._threads:
            self._commits.put(None)
            self._long_jobs.put(None)
        await asyncio.gather(*(asyncio.to_thread(thread.join) for thread in self._threads))

    def _start(self, file: WritableFile) -> None:
        requests = [file.pending.popleft() for _ in range(min(len(file.pending), MAX_GROUP))]
        group = _Group(file.connection, requests)
        is_long = any(request.is_long for request in requests)
        if is_long or not group.run_now():
            if not is_long:
                self._metrics.add(STORE_BUSY)
            self._long_jobs.put(lambda: self._end(file, group, group.run_and_commit))
        else:
            self._commits.put(lambda: self._end(file, group, group.commit))

    def _end(self, file: WritableFile, group: "_Group", commit: Callable[[], None]) -> None:
        """In a thread."""
        commit()
        if not file.is_log_long and not group.following:
            self._call_on_loop(self._finish, file, group)
            return
        # Nobody waits for what only tidies up, but the file does.
        self._call_on_loop(self._resolve, group)
        try:
            for step in group.following:
                step()
            if file.is_log_long:
                file.connection.checkpoint()
        except Exception:  # a thread that dies of it would keep the file for ever
            log.exception("store tidying failed", path=str(file.connection.path))
        self._call_on_loop(self._release, file)

    def _call_on_loop(self, step: Callable[..., None], *arguments: object) -> None:
        with suppress(RuntimeError):  # the loop was closed under us: what was written is written
            self._loop.call_soon_threadsafe(step, *arguments)

    def _finish(self, file: WritableFile, group: "_Group") -> None:
        self._resolve(group)
        self._release(file)

    def _resolve(self, group: "_Group") -> None:
        now = self._loop.time()
        self._metrics.add(STORE_COMMITS)
        for request in group.requests:
            self._metrics.observe(STORE_WRITE_SECONDS, now - request.began_at)
            request.resolve()
        for topic in group.topics:
            self._publish(topic)

    def _release(self, file: WritableFile) -> None:
        if file.pending:
            self._start(file)
            return
        file.is_busy = False
        self._busy_files -= 1
        if not self._busy_files:
            self._is_idle.set()


def _serve(jobs: "SimpleQueue[Callable[[], None] | None]") -> None:
    while (job := jobs.get()) is not None:
        job()


class _Group:
    """Requests that share a transaction."""

    def __init__(self, connection: Connection, requests: Sequence[_Request[Any]]) -> None:
        self.requests = requests
        self._connection = connection
        self._transactions: list[Transaction] = []

    @property
    def topics(self) -> set[str]:
        return {topic for transaction in self._transactions for topic in transaction.announced}

    @property
    def following(self) -> list[Callable[[], None]]:
        return [step for transaction in self._transactions for step in transaction.following]

    def run_now(self) -> bool:
        """All but the COMMIT. False: the file is locked or the group failed as a whole, and nothing was done."""
        try:
            if not self._connection.begin_now():
                return False
            self._run()
        except Exception:  # noqa: BLE001  # each request meets it again alone, and it goes to its caller
            self._undo()
            return False
        return True

    def commit(self) -> None:
        """Blocks, as run_and_commit does."""
        try:
            self._connection.reserve_log()
            self._connection.run("COMMIT")
        except Exception:  # noqa: BLE001  # as in run_now
            self._undo()
            self.run_and_commit()

    def run_and_commit(self) -> None:
        """Patiently, and when it fails as a whole, one by one."""
        if len(self.requests) == 1:
            self._run_alone(self.requests[0])
            return
        try:
            self._connection.begin()
            self._run()
            self._connection.run("COMMIT")
        except Exception:  # noqa: BLE001  # as in run_now
            self._undo()
            for request in self.requests:
                self._run_alone(request)

    def _run(self) -> None:
        if len(self.requests) == 1:
            request = self.requests[0]
            transaction = Transaction(self._connection)
            request.result = request.work(transaction)
            self._transactions.append(transaction)
            return
        for request in self.requests:
            self._run_in_savepoint(request)

    def _run_in_savepoint(self, request: _Request[Any]) -> None:
        """Raises when the whole transaction is gone with the request."""
        request.fault = None
        transaction = Transaction(self._connection)
        self._connection.run("SAVEPOINT request")
        try:
            request.result = request.work(transaction)
        except Exception as fault:  # noqa: BLE001  # it is raised where the request came from
            request.fault = fault
            self._connection.run("ROLLBACK TO request")
        else:
            self._transactions.append(transaction)
        self._connection.run("RELEASE request")

    def _run_alone(self, request: _Request[Any]) -> None:
        request.fault = None
        transaction = Transaction(self._connection)
        try:
            self._connection.begin()
            request.result = request.work(transaction)
            self._connection.run("COMMIT")
        except Exception as fault:  # noqa: BLE001  # it is raised where the request came from
            request.fault = fault
            self._roll_back()
        else:
            self._transactions.append(transaction)

    def _undo(self) -> None:
        self._transactions.clear()
        self._roll_back()

    def _roll_back(self) -> None:
        # SQLite has rolled back by itself after a full disk or an I/O fault.
        if not self._connection.in_transaction:
            return
        try:
            self._connection.run("ROLLBACK")
        except DomainError as fault:
            log.error("rollback failed", path=str(self._connection.path), error=str(fault))
