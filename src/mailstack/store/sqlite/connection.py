"""One SQLite connection through apsw, held to this project's rules, with its faults in the domain's words.

Not a pool and not a transaction: writer.py owns those. One statement for each call, and every row of every statement
is read, because an unread PRAGMA swallows the statement after it.
"""

import errno
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from enum import Enum
from pathlib import Path
from urllib.parse import quote

import apsw

from mailstack.model.errors import AlreadyExists, Damaged, DomainError, TryAgainLater
from mailstack.store.sql.database import Question, Row, Value

BUSY_TIMEOUT_MS = 10_000
READER_BUSY_TIMEOUT_MS = 2_000
STATEMENT_CACHE = 96
LOG_ROOM_BYTES = 32 * 1024
MAX_RESERVED_BYTES = 2 << 20
LOG_KEPT_BYTES = 4 << 20
FRAME_HEAD_BYTES = 24

_UNIQUE = frozenset({apsw.SQLITE_CONSTRAINT_UNIQUE, apsw.SQLITE_CONSTRAINT_PRIMARYKEY, apsw.SQLITE_CONSTRAINT_ROWID})
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Access(Enum):
    WRITE = "write"
    READ = "read"
    PEEK = "peek"  # for one who must leave no trace: no file is made, not even the shared memory of the WAL


class Connection:
    """Used by one thread at a time."""

    def __init__(self, path: Path, access: Access, *, cache_kib: int = 512, page_size: int = 4096) -> None:
        self.path = path
        self._pages_checkpointed = 0
        self._frame_bytes = page_size + FRAME_HEAD_BYTES
        self._reserved_bytes = 0
        try:
            self._apsw = _connect(path, access)
        except apsw.Error as fault:
            raise domain_error(fault, path) from fault
        self._cursor = self._apsw.cursor()
        try:
            self._set_up(access, cache_kib=cache_kib, page_size=page_size)
        except BaseException:
            self.close()
            raise

    def _set_up(self, access: Access, *, cache_kib: int, page_size: int) -> None:
        self._apsw.set_busy_timeout(BUSY_TIMEOUT_MS if access is Access.WRITE else READER_BUSY_TIMEOUT_MS)
        self.pragma("foreign_keys", "ON")
        self.pragma("cache_size", str(-cache_kib))
        self.pragma("temp_store", "MEMORY")
        if access is not Access.WRITE:
            self.pragma("query_only", "ON")
            return
        self.pragma("page_size", str(page_size))
        mode = self.pragma("journal_mode", "WAL")
        if mode != "wal":
            raise TryAgainLater(f"{self.path} cannot be put into WAL mode, it stays {mode!r}")
        self.pragma("synchronous", "FULL")
        self.pragma("journal_size_limit", str(LOG_KEPT_BYTES))
        self._apsw.wal_autocheckpoint(0)

    @property
    def log_pages(self) -> int:
        """Written to the log by this connection since its last checkpoint."""
        # Not by a WAL hook: that would wait for the interpreter's lock in the middle of each COMMIT.
        return self._pages_written() - self._pages_checkpointed

    def _pages_written(self) -> int:
        return self._apsw.status(apsw.SQLITE_DBSTATUS_CACHE_WRITE)[0]

    def rows(self, sql: str, values: Sequence[Value] = ()) -> list[Row]:
        try:
            return self._cursor.execute(sql, values).fetchall()
        except apsw.Error as fault:
            raise self._translated(fault) from fault

    def row(self, sql: str, values: Sequence[Value] = ()) -> Row | None:
        found = self.rows(sql, values)
        return found[0] if found else None

    def one(self, sql: str, values: Sequence[Value] = ()) -> Row:
        """For statements that always give a row."""
        return self.rows(sql, values)[0]

    def ask(self, *questions: Question) -> list[list[Row]]:
        return [self.rows(sql, values) for sql, values in questions]

    def run(self, sql: str, values: Sequence[Value] = ()) -> None:
        try:
            self._cursor.execute(sql, values)
        except apsw.Error as fault:
            raise self._translated(fault) from fault

    def run_many(self, sql: str, sequence: Iterable[Sequence[Value]]) -> None:
        try:
            self._cursor.executemany(sql, sequence)
        except apsw.Error as fault:
            raise self._translated(fault) from fault

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """What is read within is true of one moment."""
        self.run("BEGIN")
        try:
            yield
        finally:
            if self.in_transaction:  # a fault of the disk may have ended it
                self.run("COMMIT")

    def begin(self) -> None:
        """Takes the write lock, waiting for another process that has it."""
        self.run("BEGIN IMMEDIATE")

    def begin_now(self) -> bool:
        """Takes the write lock if it is free."""
        self._apsw.set_busy_timeout(0)
        try:
            self._cursor.execute("BEGIN IMMEDIATE")
        except apsw.BusyError:
            return False
        except apsw.Error as fault:
            raise self._translated(fault) from fault
        finally:
            self._apsw.set_busy_timeout(BUSY_TIMEOUT_MS)
        return True

    def changed_rows(self) -> int:
        """By the last statement that wrote."""
        return self._apsw.changes()

    def pragma(self, name: str, value: str | None = None) -> Value:
        """name and value are this program's own words: PRAGMA takes no parameters."""
        found = self.row(f"PRAGMA {name}" if value is None else f"PRAGMA {name} = {value}")
        return found[0] if found else None

    @property
    def in_transaction(self) -> bool:
        return self._apsw.in_transaction

    def checkpoint(self) -> None:
        """As far as it goes without waiting for anybody."""
        try:
            self._apsw.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        except apsw.BusyError:
            return
        except apsw.Error as fault:
            raise domain_error(fault, self.path) from fault
        self._pages_checkpointed = self._pages_written()

    def reserve_log(self) -> None:
        """Doubles the log beforehand, with zeros, which are no frames: an fsync of blocks that the file has already
        costs half as much. Only while this connection holds the write lock, for nobody else writes to the log then."""
        used_bytes = self.log_pages * self._frame_bytes
        # Not for the first commit: a file that is opened for one message alone would pay for room it never needs.
        if not used_bytes or not self._reserved_bytes < used_bytes + LOG_ROOM_BYTES <= MAX_RESERVED_BYTES:
            return
        self._reserved_bytes = 2 * (used_bytes + LOG_ROOM_BYTES)
        with suppress(OSError):  # a full disk: then it grows page by page
            descriptor = os.open(f"{self.path}-wal", os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                size_bytes = os.fstat(descriptor).st_size
                os.pwrite(descriptor, bytes(max(0, self._reserved_bytes - size_bytes)), size_bytes)
            finally:
                os.close(descriptor)

    def close(self) -> None:
        self._apsw.close(True)

    def _translated(self, fault: apsw.Error) -> DomainError | apsw.Error:
        if isinstance(fault, apsw.SQLError | apsw.BindingsError | apsw.ThreadingViolationError):
            return fault
        if isinstance(fault, apsw.ConstraintError) and _extended_result(fault) not in _UNIQUE:
            return fault
        return domain_error(fault, self.path, system_errno=self._apsw.system_errno)


def domain_error(fault: apsw.Error, path: Path, *, system_errno: int = 0) -> DomainError:
    for kinds, meaning in _MEANINGS:
        if isinstance(fault, kinds):
            return meaning(path)
    if system_errno in _FULL:
        return _full(path)
    return TryAgainLater(f"{path} cannot be used: {fault}")


def _extended_result(fault: apsw.Error) -> int:
    return int(fault.extendedresult)  # type: ignore[attr-defined]  # documented, and left out of apsw's stubs


def _connect(path: Path, access: Access) -> apsw.Connection:
    if access is Access.WRITE:
        _make_private(path)
        flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
        return apsw.Connection(str(path), flags=flags, statementcachesize=STATEMENT_CACHE)
    if access is Access.READ:
        return apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE, statementcachesize=STATEMENT_CACHE)
    # Without a log beside it nobody has the file open, so it can be read as a thing that does not change.
    is_still = not _size_bytes(path.with_name(path.name + "-wal"))
    address = f"file:{quote(str(path))}?mode=ro" + ("&immutable=1" if is_still else "")
    return apsw.Connection(address, flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)


def _size_bytes(log: Path) -> int:
    """0 for none: who closes the file last takes it away, and may do so just now."""
    try:
        return log.stat().st_size
    except FileNotFoundError:
        return 0


def _make_private(path: Path) -> None:
    """SQLite would let everybody read a new file; its log takes the file's own permissions."""
    # Only a file that is not there yet: to close any descriptor of an open one would drop this process's locks on it.
    with suppress(OSError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def _full(path: Path) -> DomainError:
    return TryAgainLater(f"the disk that holds {path} is full")


def _busy(path: Path) -> DomainError:
    return TryAgainLater(f"{path} is locked by another process")


def _closed_to_us(path: Path) -> DomainError:
    return TryAgainLater(f"{path} cannot be opened or written: a missing folder, a read-only one, or missing rights")


def _damaged(path: Path) -> DomainError:
    return Damaged(f"{path} is damaged, or no database of this program")


def _taken(path: Path) -> DomainError:
    return AlreadyExists(f"taken in {path.name}")


_MEANINGS: tuple[tuple[type[apsw.Error] | tuple[type[apsw.Error], ...], Callable[[Path], DomainError]], ...] = (
    (apsw.FullError, _full),
    ((apsw.BusyError, apsw.LockedError), _busy),
    ((apsw.ReadOnlyError, apsw.CantOpenError, apsw.PermissionsError), _closed_to_us),
    ((apsw.CorruptError, apsw.NotADBError), _damaged),
    (apsw.ConstraintError, _taken),
)
