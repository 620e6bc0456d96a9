"""A new account's file is the same as one that the migrations made, and is never put over another."""

import os
from pathlib import Path

import pytest

from mailstack.store.sqlite import schema_account
from mailstack.store.sqlite.connection import Access, Connection
from mailstack.store.sqlite.databases import open_migrated
from mailstack.store.sqlite.migrations import check_version
from mailstack.store.sqlite.new_files import NewFiles


def make(path: Path) -> None:
    open_migrated(path, schema_account.MIGRATIONS, page_size=schema_account.PAGE_SIZE).close()


def test_it_is_a_file_of_today(tmp_path: Path) -> None:
    files = NewFiles(make)
    for name in ("one.db", "two.db"):
        files.place(tmp_path / name)
        connection = Connection(tmp_path / name, Access.WRITE)
        assert check_version(connection, schema_account.MIGRATIONS) == schema_account.MIGRATIONS[-1].number
        assert connection.pragma("journal_mode") == "wal"
        assert connection.pragma("page_size") == schema_account.PAGE_SIZE
        connection.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.db", "two.db"]
    assert (tmp_path / "one.db").stat().st_mode & 0o777 == 0o600


def test_one_that_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / "one.db").write_bytes(b"mine")
    NewFiles(make).place(tmp_path / "one.db")
    assert (tmp_path / "one.db").read_bytes() == b"mine"


def test_where_files_cannot_be_without_names_nothing_is_placed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "O_TMPFILE", os.O_DIRECTORY)
    NewFiles(make).place(tmp_path / "one.db")
    assert list(tmp_path.iterdir()) == []
