"""A store that went to PostgreSQL and came back is the store that it was."""

from collections.abc import Callable
from pathlib import Path

from mailstack.store.sql.blobs import Blobs
from tests.store.transfer.conftest import moved, to_postgres, to_sqlite
from tests.support.filled_store import MESSAGES, Rows, rows_in


def tables_with_rows(rows: Rows) -> set[str]:
    return {name.rpartition("/")[2] for name, found in moved(rows).items() if found}


async def test_every_row_of_every_table_comes_back(
    filled: Path, tmp_path: Path, empty_database: str, blobs: Callable[[], Blobs]
) -> None:
    before = rows_in(filled)
    assert tables_with_rows(before) == {name.rpartition("/")[2] for name in moved(before)}
    there = await to_postgres(filled, empty_database, blobs())
    back = await to_sqlite(empty_database, blobs(), tmp_path / "new")
    assert (there.damage, there.failures, back.damage, back.failures) == ({}, {}, {}, {})
    assert there.messages == back.messages > MESSAGES
    assert moved(rows_in(tmp_path / "new")) == moved(before)
    assert rows_in(filled) == before
