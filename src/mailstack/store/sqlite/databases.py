"""The open files of one process: system.db, and the accounts that were used last.

An account has up to three connections: one that writes (threads of writer.py), one for small reads on the loop, one
for long reads in a thread. Accounts beyond the bound are closed when nobody uses them, the longest unused first.
"""

import asyncio
import resource
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import apsw

from mailstack.model.changes import LogHead
from mailstack.model.errors import Forbidden, NotFound, TryAgainLater
from mailstack.model.ids import AccountId
from mailstack.store.sql.changes import HEAD
from mailstack.store.sql.database import Reading, Result, Row, Value, Work
from mailstack.store.sqlite import schema_account
from mailstack.store.sqlite.connection import Access, Connection
from mailstack.store.sqlite.folders import make_folder
from mailstack.store.sqlite.migrations import LIST_TABLES, Migration, keep_copy, migrate, require_newest
from mailstack.store.sqlite.new_files import NewFiles
from mailstack.store.sqlite.writer import WritableFile, Writer

MAX_OPEN_ACCOUNTS = 256
DESCRIPTORS_PER_ACCOUNT = 8
"""File, log and shared memory of up to three connections, and as much again for everything else in the process."""
WRITER_CACHE_KIB = 256
READER_CACHE_KIB = 256
LONG_READ_CACHE_KIB = 4096
REST_S = 1.0
"""Unused for so long, twice at most, an account's read connections are closed: with their caches they are most of what
an account costs that somebody only waits for, and a tenth of a millisecond brings them back."""
OPEN_TIMEOUT_S = 10.0
OPEN_RETRY_S = 0.01


class Database:
    """One file. The read connections open at their first use; writable is None in a store that only looks."""

    def __init__(
        self,
        path: Path,
        migrations: Sequence[Migration],
        *,
        threads: ThreadPoolExecutor,
        writer: Writer | None,
        writable: WritableFile | None,
    ) -> None:
        self.path = path
        self.name = str(path)
        self._migrations = migrations
        self._threads = threads
        self._writer = writer
        self._writable = writable
        self._access = Access.PEEK if writable is None else Access.READ
        self._reader: Connection | None = None
        self._long_reader: Connection | None = None
        self._long_read_guard = threading.Lock()
        self._uses = 0
        self.was_used = False

    @property
    def is_awake(self) -> bool:
        return self._reader is not None or self._long_reader is not None

    def rest(self) -> None:
        """On the loop, while it is idle."""
        for connection in (self._long_reader, self._reader):
            if connection is not None:
                connection.close()
        self._reader = self._long_reader = None

    @property
    def is_idle(self) -> bool:
        return not self._uses and (self._writable is None or self._writable.is_idle)

    async def write(self, work: Work[Result], *, is_long: bool = False) -> Result:
        """is_long: too long for the loop, from about a millisecond on."""
        if self._writer is None or self._writable is None:
            raise Forbidden(f"{self.path} was opened for reading only")
        self._uses += 1
        try:
            return await self._writer.write(self._writable, work, is_long=is_long)
        finally:
            self._uses -= 1

    def reader(self) -> Connection:
        """For small, indexed reads, on the loop."""
        if self._reader is None:
            self._reader = self._opened(READER_CACHE_KIB)
        return self._reader

    async def rows(self, sql: str, values: Sequence[Value] = ()) -> list[Row]:
        return self.reader().rows(sql, values)

    async def row(self, sql: str, values: Sequence[Value] = ()) -> Row | None:
        return self.reader().row(sql, values)

    async def one(self, sql: str, values: Sequence[Value] = ()) -> Row:
        return self.reader().one(sql, values)

    async def read(self, reading: Reading[Result]) -> Result:
        """At once, on the loop."""
        return reading(self.reader())

    async def read_long(self, reading: Reading[Result]) -> Result:
        """In a thread, on a connection of its own; one at a time for each file."""
        return await self.in_thread(self._read_long, reading)

    async def in_thread(self, work: Callable[..., Result], *arguments: object) -> Result:
        """The file stays open while it runs."""
        self._uses += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)
        finally:
            self._uses -= 1

    def _opened(self, cache_kib: int) -> Connection:
        connection = Connection(self.path, self._access, cache_kib=cache_kib)
        # A process that was killed while it made the file left one without tables; one who writes goes on from there.
        if self._access is Access.PEEK and is_blank(connection):
            connection.close()
            raise NotFound(f"{self.path} holds nothing yet")
        if self._access is Access.PEEK:
            self._check_layout(connection)
        return connection

    def _check_layout(self, connection: Connection) -> None:
        """Who only looks cannot bring it up to date. Raises Unsupported, Damaged."""
        try:
            require_newest(connection, self._migrations)
        except BaseException:  # nobody else knows of the connection yet
            connection.close()
            raise

    def _read_long(self, reading: Reading[Result]) -> Result:
        with self._long_read_guard:
            if self._long_reader is None:
                self._long_reader = self._opened(LONG_READ_CACHE_KIB)
            return reading(self._long_reader)

    def close(self) -> None:
        """Blocks: the last one to close a file moves its log into it."""
        with self._long_read_guard:
            for connection in (self._long_reader, self._reader):
                if connection is not None:
                    connection.close()
            if self._writable is not None:
                self._writable.connection.close()


class AccountDatabases:
    """exists: asked before an account's file is made, so that mail for one that is gone finds no new home."""

    def __init__(
        self,
        path: Path,
        *,
        threads: ThreadPoolExecutor,
        writer: Writer | None,
        exists: Callable[[AccountId], bool],
        prepare: Callable[[Connection], None],
    ) -> None:
        self._path = path
        self._threads = threads
        self._writer = writer
        self._exists = exists
        self._prepare = prepare
        self._open: OrderedDict[AccountId, Database] = OrderedDict()
        self._opening: dict[AccountId, asyncio.Future[Database]] = {}
        self._leaving: list[Database] = []
        self._resting: asyncio.TimerHandle | None = None
        self._is_closed = False
        self._new_files = NewFiles(_make_account_file)
        self._most_open = min(
            MAX_OPEN_ACCOUNTS, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // DESCRIPTORS_PER_ACCOUNT
        )

    async def get(self, account_id: AccountId) -> Database:
        """Use what it gives before the next await: nothing else keeps it open. Raises NotFound."""
        while (database := self._open.get(account_id)) is None:
            await self._join_opening(account_id)
        self._open.move_to_end(account_id)
        database.was_used = True
        if self._resting is None and not self._is_closed:
            self._resting = asyncio.get_running_loop().call_later(REST_S, self._rest)
        return database

    def has_file(self, account_id: AccountId) -> bool:
        return _account_file(self._path, account_id).exists()

    async def heads(self, account_ids: Collection[AccountId]) -> Mapping[AccountId, LogHead]:
        """A file for each: nothing is won by asking for many at once."""
        found: dict[AccountId, LogHead] = {}
        for account_id in account_ids:
            if self.has_file(account_id):
                with suppress(NotFound):
                    for row in await (await self.get(account_id)).rows(HEAD):
                        found[account_id] = LogHead(*row)
        return found

    def _rest(self) -> None:
        self._resting = None
        for database in self._open.values():
            if not database.was_used and database.is_awake and database.is_idle:
                database.rest()
            database.was_used = False
        if not self._is_closed and any(database.is_awake for database in self._open.values()):
            self._resting = asyncio.get_running_loop().call_later(REST_S, self._rest)

    def stop_resting(self) -> None:
        """On the loop, before close."""
        self._is_closed = True
        if self._resting is not None:
            self._resting.cancel()
            self._resting = None

    def forget_gone(self) -> None:
        """Accounts that left the directory get no more mail through files that stay open."""
        for account_id in [known for known in self._open if not self._exists(known)]:
            self._leaving.append(self._open.pop(account_id))

    def close(self) -> None:
        """Blocks."""
        while self._leaving:
            self._leaving.pop().close()
        while self._open:
            self._open.popitem()[1].close()

    async def _join_opening(self, account_id: AccountId) -> None:
        opening = self._opening.get(account_id)
        if opening is None:
            if not self._exists(account_id):
                raise NotFound(f"there is no account {account_id}")
            opening = asyncio.get_running_loop().run_in_executor(self._threads, self._open_file, account_id)
            self._opening[account_id] = opening
            opening.add_done_callback(lambda done: self._keep(account_id, done))
        if opening.done():
            # Its callback comes next. Waiting for what is done already would never let it come.
            await asyncio.sleep(0)
        await asyncio.shield(opening)

    def _keep(self, account_id: AccountId, opened: "asyncio.Future[Database]") -> None:
        self._opening.pop(account_id, None)
        if opened.cancelled() or opened.exception() is not None:
            return
        if not self._exists(account_id):
            # It was destroyed meanwhile: what was opened may be a file made after the old one went to the trash.
            self._leaving.append(opened.result())
            return
        self._open[account_id] = opened.result()
        idle = [known for known, database in self._open.items() if database.is_idle and known != account_id]
        for known in idle[: max(0, len(self._open) - self._most_open)]:
            self._threads.submit(self._open.pop(known).close)

    def _open_file(self, account_id: AccountId) -> Database:
        path = _account_file(self._path, account_id)
        if self._writer is None:
            if not path.exists():
                raise NotFound(f"account {account_id} holds nothing yet")
            return Database(path, schema_account.MIGRATIONS, threads=self._threads, writer=None, writable=None)
        if not path.exists():
            _require_folder(path.parent)
            self._new_files.place(path)
        connection = _open_account(path)
        try:
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        writable = WritableFile(connection, page_size=schema_account.PAGE_SIZE)
        return Database(path, schema_account.MIGRATIONS, threads=self._threads, writer=self._writer, writable=writable)


def account_folder(path: Path, account_id: AccountId) -> Path:
    return path / "accounts" / account_id[:2] / account_id


def _account_file(path: Path, account_id: AccountId) -> Path:
    return account_folder(path, account_id) / "mail.db"


def is_blank(connection: Connection) -> bool:
    return connection.pragma("user_version") == 0 and not connection.rows(LIST_TABLES)


def _open_account(path: Path) -> Connection:
    return open_migrated(path, schema_account.MIGRATIONS, page_size=schema_account.PAGE_SIZE)


def _make_account_file(path: Path) -> None:
    _open_account(path).close()


def _require_folder(folder: Path) -> None:
    try:
        make_folder(folder)
    except OSError as fault:
        raise TryAgainLater(f"{folder} cannot be made: {fault.strerror}") from fault


def open_migrated(path: Path, migrations: Sequence[Migration], *, page_size: int) -> Connection:
    """For writing; the file is made where there is none. Blocks."""
    _require_folder(path.parent)
    connection = _open_patiently(path, page_size=page_size)
    try:
        is_old = keep_copy(connection, migrations) is not None
        is_changed = migrate(connection, migrations)
        if is_old:
            _give_back(connection)
    except BaseException:
        connection.close()
        raise
    if not is_changed:
        return connection
    # What it took to make the tables stays in the caches of that connection, three times what an account needs.
    connection.close()
    return _open_patiently(path, page_size=page_size)


def _give_back(connection: Connection) -> None:
    """The room of what a migration left behind. It can wait: the file is whole either way."""
    with suppress(TryAgainLater):
        connection.run("VACUUM")


def _open_patiently(path: Path, *, page_size: int) -> Connection:
    # Two processes that make the same new file get in each other's way at the switch to WAL, which does not wait.
    deadline = time.monotonic() + OPEN_TIMEOUT_S
    while True:
        try:
            return Connection(path, Access.WRITE, cache_kib=WRITER_CACHE_KIB, page_size=page_size)
        except TryAgainLater as fault:
            if not isinstance(fault.__cause__, apsw.BusyError) or time.monotonic() > deadline:
                raise
            time.sleep(OPEN_RETRY_S)
