"""A store on SQLite as one side of a copy: store.transfer.side's Source and Target.

The source is read with system.db's write lock held, so that no server and no command opens it to write. Accounts are
files of their own, which a process that had them open before may go on to write: so of each it is seen at the end
whether it is as it was when it was read. The source is left as it was. The target's accounts are written where they are
served later; those that were destroyed go to the trash at the end.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TypeAlias

from mailstack.model.errors import Conflict, NotFound, Unsupported
from mailstack.model.ids import AccountId
from mailstack.store.sql import copy_progress
from mailstack.store.sql.database import Result, Transaction
from mailstack.store.sqlite import schema_account, schema_system
from mailstack.store.sqlite.blobs import FolderBlobs
from mailstack.store.sqlite.connection import Access, Connection
from mailstack.store.sqlite.databases import Database, account_folder, open_migrated
from mailstack.store.sqlite.discarding import move_to_trash
from mailstack.store.sqlite.folders import BLOB_FOLDER, QUEUE_FOLDER, make_folder
from mailstack.store.sqlite.migrations import LIST_TABLES
from mailstack.store.sqlite.new_files import NewFiles
from mailstack.store.sqlite.writer import WritableFile, Writer
from mailstack.store.transfer.side import Holder

SYSTEM_FILE = "system.db"
ACCOUNT_FILE = "mail.db"
OF_A_STORE = ("accounts", "blobs", QUEUE_FOLDER, "trash")
THREADS = 2
FORGET_LASTS = "DELETE FROM sqlite_sequence WHERE name IN ('mail', 'mail_recipient')"


_Trace: TypeAlias = tuple[tuple[int, int] | None, ...]
"""Of an account's file and its log, in one of which every commit lies: size, and time of the last write."""


class SqliteSource:
    def __init__(self, path: Path, *, threads: ThreadPoolExecutor, system: Database, lock: Connection) -> None:
        self.name = str(path)
        self._path = path
        self._threads = threads
        self._blobs = FolderBlobs(path)
        self._system = system
        self._lock = lock
        self._traces: dict[Path, _Trace] = {}
        self.system = Holder(database=system, held=self._blobs.of_queue())

    @asynccontextmanager
    async def account(self, account_id: AccountId) -> AsyncIterator[Holder]:
        """Raises Conflict at the end, where somebody has written to it since it was first opened here."""
        folder = account_folder(self._path, account_id)
        if not folder.exists():
            folder = self._path / "trash" / account_id
        file = folder / ACCOUNT_FILE
        if not file.exists():
            raise NotFound(f"account {account_id} holds nothing yet")
        self._traces.setdefault(file, _trace_of(file))
        database = Database(file, schema_account.MIGRATIONS, threads=self._threads, writer=None, writable=None)
        try:
            yield Holder(database=database, held=self._blobs.at(folder / BLOB_FOLDER))
        finally:
            database.close()
        self._require_untouched(file)

    async def require_held(self) -> None:
        if not self._lock.in_transaction:
            raise Conflict(f"{self.name} was open to others while it was copied: run the copy again")
        await asyncio.to_thread(self._require_all_untouched)

    def _require_all_untouched(self) -> None:
        for file in self._traces:
            self._require_untouched(file)

    def _require_untouched(self, file: Path) -> None:
        if _trace_of(file) != self._traces[file]:
            raise Conflict(f"{file} was written to while it was copied: end who does that, and run the copy again")

    def close(self) -> None:
        self._system.close()
        self._lock.close()
        self._blobs.close()
        self._threads.shutdown()


class SqliteTarget:
    def __init__(
        self, path: Path, *, is_begun: bool, threads: ThreadPoolExecutor, writer: Writer, system: Database
    ) -> None:
        self.name = str(path)
        self.is_begun = is_begun
        self._path = path
        self._threads = threads
        self._writer = writer
        self._blobs = FolderBlobs(path)
        self._system = system
        self._new_files = NewFiles(lambda file: _open_account(file).close())
        self.system = Holder(database=system, held=self._blobs.of_queue())

    @asynccontextmanager
    async def account(self, account_id: AccountId) -> AsyncIterator[Holder]:
        folder = account_folder(self._path, account_id)
        database = await _to_the_end(self._opened, folder / ACCOUNT_FILE)
        try:
            yield Holder(database=database, held=self._blobs.at(folder / BLOB_FOLDER))
        finally:
            await asyncio.to_thread(database.close)

    async def start_account(self, account_id: AccountId) -> None:
        folder = account_folder(self._path, account_id)
        if folder.exists():
            await _to_the_end(shutil.rmtree, folder)

    async def start_system(self) -> None:
        with suppress(FileNotFoundError):
            await asyncio.to_thread(shutil.rmtree, self._path / QUEUE_FOLDER)

        def work(transaction: Transaction) -> None:
            transaction.run(FORGET_LASTS)

        await self._system.write(work)

    async def finish(self) -> None:
        # What it does not get done, the first start does.
        await asyncio.to_thread(self._move_to_trash)

    async def close(self) -> None:
        await self._writer.close()
        await asyncio.to_thread(self._system.close)
        self._blobs.close()
        self._threads.shutdown()

    def _opened(self, file: Path) -> Database:
        make_folder(file.parent)
        if not file.exists():
            self._new_files.place(file)
        writable = WritableFile(_open_account(file), page_size=schema_account.PAGE_SIZE)
        return Database(file, schema_account.MIGRATIONS, threads=self._threads, writer=self._writer, writable=writable)

    def _move_to_trash(self) -> None:
        connection = Connection(self._path / SYSTEM_FILE, Access.READ)
        try:
            move_to_trash(self._path, connection)
        finally:
            connection.close()


@asynccontextmanager
async def source_in(path: Path) -> AsyncIterator[SqliteSource]:
    """Raises NotFound, Unsupported (another schema), Damaged, TryAgainLater (somebody writes to it)."""
    file = path / SYSTEM_FILE
    if not file.exists():
        raise NotFound(f"there is no store in {path}")
    threads = ThreadPoolExecutor(THREADS, thread_name_prefix="copy-source")
    system = Database(file, schema_system.MIGRATIONS, threads=threads, writer=None, writable=None)
    try:
        system.reader()  # which looks at its version
        lock = await asyncio.to_thread(_locked, file)
    except BaseException:
        system.close()
        raise
    source = SqliteSource(path, threads=threads, system=system, lock=lock)
    try:
        yield source
    finally:
        await asyncio.to_thread(source.close)


@asynccontextmanager
async def target_in(path: Path) -> AsyncIterator[SqliteTarget]:
    """It is made where there is none. Raises Conflict (something else lies there), Unsupported, TryAgainLater."""
    connection, is_begun = await asyncio.to_thread(_open_system, path)
    threads = ThreadPoolExecutor(THREADS, thread_name_prefix="copy-target")
    writer = Writer(threads=THREADS, publish=_nobody_hears)
    writable = WritableFile(connection, page_size=schema_system.PAGE_SIZE)
    system = Database(connection.path, schema_system.MIGRATIONS, threads=threads, writer=writer, writable=writable)
    target = SqliteTarget(path, is_begun=is_begun, threads=threads, writer=writer, system=system)
    try:
        yield target
    finally:
        await target.close()


def target_state(path: Path) -> str:
    """For who only looks: why nothing can be copied there, "" where it can. A copy that was begun can go on."""
    file = path / SYSTEM_FILE
    if not file.exists():
        return _in_the_way(path)
    connection = Connection(file, Access.PEEK)
    try:
        tables = {name for (name,) in connection.rows(LIST_TABLES)}
    finally:
        connection.close()
    return "" if copy_progress.TABLE in tables else f"{path} holds a store already: a copy wants an empty one"


def _in_the_way(path: Path) -> str:
    found = [name for name in OF_A_STORE if (path / name).exists()]
    return f"{path / found[0]} is left of another store: a copy wants an empty folder" if found else ""


async def _to_the_end(work: Callable[[Path], Result], path: Path) -> Result:
    """In a thread, which a cancellation waits for: a run right after this one must not meet what it still makes."""
    thread = asyncio.ensure_future(asyncio.to_thread(work, path))
    try:
        return await asyncio.shield(thread)
    except asyncio.CancelledError:
        await asyncio.wait([thread])
        raise


def _trace_of(file: Path) -> _Trace:
    return tuple(_stamp(each) for each in (file, file.with_name(f"{file.name}-wal")))


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return (found.st_size, found.st_mtime_ns) if found.st_size else None


def _locked(file: Path) -> Connection:
    connection = Connection(file, Access.WRITE, page_size=schema_system.PAGE_SIZE)
    try:
        connection.begin()
    except BaseException:
        connection.close()
        raise
    return connection


def _open_system(path: Path) -> tuple[Connection, bool]:
    """And whether it holds a copy that was begun."""
    file = path / SYSTEM_FILE
    if not file.exists() and (fault := _in_the_way(path)):
        raise Conflict(fault)
    if file.exists():
        connection = Connection(file, Access.WRITE, page_size=schema_system.PAGE_SIZE)
        if (copy_progress.TABLE,) in connection.rows(LIST_TABLES):
            return _of_this_version(connection), True
        connection.close()
    return open_migrated(file, schema_system.MIGRATIONS, page_size=schema_system.PAGE_SIZE), False


def _of_this_version(connection: Connection) -> Connection:
    version, newest = connection.pragma("user_version"), schema_system.MIGRATIONS[-1].number
    if version != newest:
        connection.close()
        raise Unsupported(
            f"{connection.path}: the copy was begun with schema {version!r}, this program writes {newest}; remove what"
            " was copied and begin anew"
        )
    return connection


def _open_account(file: Path) -> Connection:
    return open_migrated(file, schema_account.MIGRATIONS, page_size=schema_account.PAGE_SIZE)


def _nobody_hears(topic: str) -> None:
    """No server has the store open."""
