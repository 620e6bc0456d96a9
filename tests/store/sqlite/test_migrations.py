"""Schema versions: forward, whole or not at all, with a copy of what was."""

from pathlib import Path

import pytest

from mailstack.model.errors import Damaged
from mailstack.store.sqlite.connection import Access, Connection
from mailstack.store.sqlite.databases import open_migrated
from mailstack.store.sqlite.migrations import Migration, check_version, keep_copy, migrate

FIRST = Migration(
    number=1,
    tables=frozenset({"parent", "child"}),
    statements=(
        "CREATE TABLE parent (number INTEGER PRIMARY KEY)",
        "CREATE TABLE child (parent INTEGER REFERENCES parent (number))",
        "INSERT INTO parent VALUES (1)",
    ),
)
SECOND = Migration(
    number=2,
    tables=frozenset({"parent", "child", "toy"}),
    statements=("CREATE TABLE toy (name TEXT)",),
    fill=lambda connection: connection.run("INSERT INTO toy VALUES (?)", ("ball",)),
)


def opened(path: Path, *migrations: Migration) -> Connection:
    return open_migrated(path / "test.db", migrations, page_size=4096)


def test_all_are_applied_in_order(tmp_path: Path) -> None:
    connection = opened(tmp_path, FIRST, SECOND)
    assert check_version(connection, (FIRST, SECOND)) == 2
    assert connection.rows("SELECT name FROM toy") == [("ball",)]
    connection.close()


def test_an_older_file_is_brought_up_and_its_copy_kept(tmp_path: Path) -> None:
    opened(tmp_path, FIRST).close()
    opened(tmp_path, FIRST, SECOND).close()
    copy = Connection(tmp_path / "test.db.v1", Access.READ)
    assert check_version(copy, (FIRST,)) == 1
    assert copy.rows("SELECT number FROM parent") == [(1,)]
    copy.close()
    assert not list(tmp_path.glob("*.partial"))


def test_new_and_current_files_are_not_copied(tmp_path: Path) -> None:
    opened(tmp_path, FIRST).close()
    connection = opened(tmp_path, FIRST)
    assert keep_copy(connection, (FIRST,)) is None
    connection.close()
    assert [tmp_path / "test.db"] == list(tmp_path.iterdir())


def take_over(connection: Connection) -> None:
    connection.run("INSERT INTO parent SELECT * FROM old_parent")
    connection.run("DROP TABLE old_parent")


THIRD = Migration(
    number=3,
    tables=frozenset({"parent", "toy"}),
    makes_room=("DROP TABLE child", "ALTER TABLE parent RENAME TO old_parent", "DROP TABLE toy"),
    statements=("CREATE TABLE parent (number INTEGER PRIMARY KEY)", "CREATE TABLE toy (name TEXT)"),
    fill=take_over,
    makes_whole_files=True,
)


def test_a_new_file_takes_no_detour(tmp_path: Path) -> None:
    connection = opened(tmp_path, FIRST, SECOND, THIRD)
    assert check_version(connection, (FIRST, SECOND, THIRD)) == 3
    assert connection.rows("SELECT number FROM parent") == []
    connection.close()


def test_an_old_file_makes_room_first(tmp_path: Path) -> None:
    opened(tmp_path, FIRST).close()
    connection = opened(tmp_path, FIRST, SECOND, THIRD)
    assert connection.rows("SELECT number FROM parent") == [(1,)]
    connection.close()


@pytest.mark.parametrize(
    "broken",
    [
        Migration(number=2, tables=frozenset({"parent", "child", "toy"}), statements=()),
        Migration(number=2, tables=frozenset({"parent", "child"}), statements=("INSERT INTO child VALUES (77)",)),
    ],
    ids=["a table is missing", "a row without its owner"],
)
def test_a_migration_that_fails_its_check_changes_nothing(tmp_path: Path, broken: Migration) -> None:
    opened(tmp_path, FIRST).close()
    connection = Connection(tmp_path / "test.db", Access.WRITE)
    connection.pragma("foreign_keys", "OFF")
    with pytest.raises(Damaged):
        migrate(connection, (FIRST, broken))
    assert check_version(connection, (FIRST,)) == 1
    assert connection.rows("SELECT * FROM child") == []
    connection.close()
