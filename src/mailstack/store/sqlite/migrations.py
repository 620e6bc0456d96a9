"""Schema versions: numbered, forward only, each in one transaction that ends with a check of what it made.

The number is the file's user_version. A file that is newer than the program, or whose tables are not those of its
number, is refused. Before an older file is changed, a copy of it is put beside it.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mailstack.model.errors import Damaged, Forbidden, Unsupported
from mailstack.store.sql import copy_progress
from mailstack.store.sqlite.connection import Connection
from mailstack.store.syncing import sync_file, sync_folder

LIST_TABLES = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
COPY_TO = "VACUUM INTO ?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """Leads to version `number`. tables: all that the file has afterwards.

    makes_room: before the statements, in a file of the version before. fill: after them, there. makes_whole_files: the
    statements alone are all that a new file needs.
    """

    number: int
    statements: tuple[str, ...]
    tables: frozenset[str]
    makes_room: tuple[str, ...] = ()
    fill: Callable[[Connection], None] | None = None
    makes_whole_files: bool = False


def migrate(connection: Connection, migrations: Sequence[Migration]) -> bool:
    """Up to the last of `migrations`. True when that changed the file.

    Raises Unsupported for a newer file, Damaged for a half-made one.
    """
    if check_version(connection, migrations) == migrations[-1].number:
        return False
    connection.run("BEGIN IMMEDIATE")
    try:
        # Another process may have been faster: what counts is what is seen under the lock.
        version = check_version(connection, migrations)
        for migration in _steps(migrations, version):
            _apply(connection, migration, is_new=not version and migration.makes_whole_files)
        connection.run("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.run("ROLLBACK")
        raise
    return True


def keep_copy(connection: Connection, migrations: Sequence[Migration]) -> Path | None:
    """Of a file that migrate would change; None for a new or a current one."""
    version = check_version(connection, migrations)
    if version in (0, migrations[-1].number):
        return None
    copy = connection.path.with_name(f"{connection.path.name}.v{version}")
    if not copy.exists():
        partial = copy.with_name(f"{copy.name}.{os.getpid()}.partial")  # two processes may be at it
        partial.unlink(missing_ok=True)
        partial.touch(mode=0o600)
        connection.run(COPY_TO, (str(partial),))
        sync_file(partial)
        partial.rename(copy)
        sync_folder(copy.parent)
    return copy


def check_version(connection: Connection, migrations: Sequence[Migration]) -> int:
    """The file's version, which its tables fit. Raises Damaged, Unsupported, Forbidden (a copy in the making)."""
    version = connection.pragma("user_version")
    if not isinstance(version, int) or version < 0:
        raise Damaged(f"{connection.path} has no schema version")
    if version > migrations[-1].number:
        raise Unsupported(
            f"{connection.path} has schema {version}, this program knows {migrations[-1].number}: use a newer mailstack"
        )
    _check_tables(connection, version, migrations[version - 1].tables if version else frozenset())
    return version


def require_newest(connection: Connection, migrations: Sequence[Migration]) -> None:
    version = check_version(connection, migrations)
    if version != migrations[-1].number:
        raise Unsupported(
            f"{connection.path} has schema {version}, this program reads {migrations[-1].number}: a server of this"
            " version brings it up to date"
        )


def _check_tables(connection: Connection, version: int, expected: frozenset[str]) -> None:
    found = frozenset(str(name) for (name,) in connection.rows(LIST_TABLES))
    if copy_progress.TABLE in found:
        raise Forbidden(copy_progress.refusal(str(connection.path.parent)))
    if found != expected:
        odd = ", ".join(sorted(found ^ expected))
        raise Damaged(f"{connection.path} does not have the tables of schema {version} (see {odd}): restore a copy")


def _steps(migrations: Sequence[Migration], version: int) -> Sequence[Migration]:
    if version:
        return migrations[version:]
    return migrations[max((at for at, one in enumerate(migrations) if one.makes_whole_files), default=0) :]


def _apply(connection: Connection, migration: Migration, *, is_new: bool) -> None:
    for statement in migration.statements if is_new else (*migration.makes_room, *migration.statements):
        connection.run(statement)
    if migration.fill is not None and not is_new:
        migration.fill(connection)
    connection.pragma("user_version", str(migration.number))
    broken = connection.rows("PRAGMA foreign_key_check")
    if broken:
        raise Damaged(f"{connection.path}: migration {migration.number} leaves {len(broken)} rows without their owner")
    _check_tables(connection, migration.number, migration.tables)
