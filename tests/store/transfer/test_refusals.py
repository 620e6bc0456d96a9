"""What is not copied from, and what is not copied to; nothing is changed then."""

from pathlib import Path

import apsw
import pytest

from mailstack.model.errors import Conflict, Forbidden, NotFound, TryAgainLater, Unsupported
from mailstack.model.ids import AccountId
from mailstack.store.postgres import transfer as postgres_transfer
from mailstack.store.postgres.link import address_of
from mailstack.store.postgres.open import open_store as open_postgres_store
from mailstack.store.sql.row_blobs import RowBlobs
from mailstack.store.sqlite import connection as sqlite_connection
from mailstack.store.sqlite import transfer as sqlite_transfer
from mailstack.store.sqlite.open import open_store
from mailstack.store.transfer.copying import SYSTEM, copy_store
from mailstack.store.transfer.side import Source
from tests.store.transfer.conftest import folder_to_folder, moved, to_postgres, to_sqlite, unheard
from tests.support.fake_clock import FakeClock
from tests.support.filled_store import rows_in
from tests.support.postgres import PostgresServer
from tests.support.recording_bus import RecordingBus
from tests.support.stores import make_account


async def test_a_folder_that_holds_a_store(filled: Path, tmp_path: Path) -> None:
    other = await open_store(tmp_path / "new", clock=FakeClock(), bus=RecordingBus())
    await make_account(other, "carol@example.com")
    await other.close()
    before = rows_in(tmp_path / "new")
    async with folder_to_folder(filled, tmp_path / "new") as (source, target):
        with pytest.raises(Forbidden, match="holds a store already"):
            await copy_store(source, target, progress=unheard)
    assert "holds a store already" in sqlite_transfer.target_state(tmp_path / "new")
    assert rows_in(tmp_path / "new") == before


async def test_a_folder_that_holds_what_is_left_of_one(filled: Path, tmp_path: Path) -> None:
    (tmp_path / "new" / "accounts").mkdir(parents=True)
    with pytest.raises(Conflict, match="left of another store"):
        async with folder_to_folder(filled, tmp_path / "new"):
            pass
    assert "left of another store" in sqlite_transfer.target_state(tmp_path / "new")
    assert not (tmp_path / "new" / "system.db").exists()


async def test_a_database_that_holds_a_store(filled: Path, tmp_path: Path, empty_database: str) -> None:
    other = await open_postgres_store(
        address_of(empty_database), blobs=RowBlobs(tmp_path), clock=FakeClock(), bus=RecordingBus()
    )
    await other.close()
    with pytest.raises(Forbidden, match="holds a store already"):
        await to_postgres(filled, empty_database, RowBlobs(tmp_path))
    assert "holds a store already" in await postgres_transfer.target_state(address_of(empty_database))


async def test_a_copy_that_is_finished_is_a_store(filled: Path, tmp_path: Path, empty_database: str) -> None:
    await to_postgres(filled, empty_database, RowBlobs(tmp_path))
    with pytest.raises(Forbidden, match="holds a store already"):
        await to_postgres(filled, empty_database, RowBlobs(tmp_path))


async def test_another_programs_database(
    filled: Path, tmp_path: Path, postgres: PostgresServer, empty_database: str
) -> None:
    name = empty_database.rpartition("/")[2]
    postgres.run("CREATE TABLE theirs (number INT)", database=name)
    with pytest.raises(Forbidden, match="another program"):
        await to_postgres(filled, empty_database, RowBlobs(tmp_path))
    with pytest.raises(Forbidden, match="another program"):
        await postgres_transfer.target_state(address_of(empty_database))


async def test_a_folder_that_holds_nothing(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="there is no store in"):
        async with folder_to_folder(tmp_path / "old", tmp_path / "new"):
            pass
    assert not (tmp_path / "old").exists()
    assert not (tmp_path / "new").exists()


async def test_a_folder_that_somebody_writes_to(filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_connection, "BUSY_TIMEOUT_MS", 50)
    writer = apsw.Connection(str(filled / "system.db"))
    writer.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(TryAgainLater, match="locked by another process"):
            async with folder_to_folder(filled, tmp_path / "new"):
                pass
    finally:
        writer.close()


async def test_nobody_writes_to_a_folder_meanwhile(
    filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_connection, "BUSY_TIMEOUT_MS", 50)
    async with folder_to_folder(filled, tmp_path / "new"):
        with pytest.raises(TryAgainLater, match="locked by another process"):
            await open_store(filled, clock=FakeClock(), bus=RecordingBus())


def write_to(file: Path) -> None:
    """As a process would that had the account open before the copy began; each row is what it was in the end."""
    connection = apsw.Connection(str(file))
    connection.execute("UPDATE counter SET mod_seq = mod_seq + 1")
    connection.execute("UPDATE counter SET mod_seq = mod_seq - 1")
    connection.close()


def an_account_of(path: Path) -> Path:
    return next(path.glob("accounts/*/*/mail.db"))


async def read_while_written_to(source: Source, file: Path) -> None:
    async with source.account(AccountId(file.parent.name)) as old:
        await old.database.rows("SELECT 1 FROM counter")
        write_to(file)


async def test_an_account_that_is_written_to_while_it_is_read(filled: Path, tmp_path: Path) -> None:
    async with folder_to_folder(filled, tmp_path / "new") as (source, _):
        with pytest.raises(Conflict, match="was written to while it was copied"):
            await read_while_written_to(source, an_account_of(filled))


async def test_an_account_that_is_written_to_after_it_was_done(filled: Path, tmp_path: Path) -> None:
    """The copy is not finished, and no server starts on it; the next run sees what has changed."""
    written: list[Path] = []

    def progress(whose: str, _done: int, _total: int) -> None:
        if whose == SYSTEM and not written:
            written.append(an_account_of(filled))
            write_to(written[0])

    async with folder_to_folder(filled, tmp_path / "new") as (source, target):
        with pytest.raises(Conflict, match="was written to while it was copied"):
            await copy_store(source, target, progress=progress)
    with pytest.raises(Forbidden, match="not finished"):
        await open_store(tmp_path / "new", clock=FakeClock(), bus=RecordingBus())
    async with folder_to_folder(filled, tmp_path / "new") as (source, target):
        assert (await copy_store(source, target, progress=unheard)).kept == 3
    assert moved(rows_in(tmp_path / "new")) == moved(rows_in(filled))


async def test_a_folder_whose_lock_was_lost_meanwhile(filled: Path, tmp_path: Path) -> None:
    async with sqlite_transfer.source_in(filled) as source:
        source._lock.run("ROLLBACK")
        with pytest.raises(Conflict, match="was open to others"):
            await source.require_held()


async def test_a_database_that_a_server_has(
    filled: Path, tmp_path: Path, empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_transfer, "LEAVING_S", 0.2)
    await to_postgres(filled, empty_database, RowBlobs(tmp_path))
    server = await open_postgres_store(
        address_of(empty_database), blobs=RowBlobs(tmp_path), clock=FakeClock(), bus=RecordingBus()
    )
    try:
        with pytest.raises(Forbidden, match="stop every server"):
            await to_sqlite(empty_database, RowBlobs(tmp_path), tmp_path / "new")
    finally:
        await server.close()


async def test_nobody_writes_to_a_database_meanwhile(
    filled: Path, tmp_path: Path, postgres: PostgresServer, empty_database: str
) -> None:
    await to_postgres(filled, empty_database, RowBlobs(tmp_path))
    name = empty_database.rpartition("/")[2]
    async with postgres_transfer.source_at(address_of(empty_database), blobs=RowBlobs(tmp_path), clock=FakeClock()):
        for statement in (
            "UPDATE counter SET mod_seq = mod_seq",
            "SELECT 1 FROM counter FOR UPDATE",
            "UPDATE mail_recipient SET tries = tries + 1",
            "DELETE FROM generation",
        ):
            with pytest.raises(Exception, match="lock timeout"):
                postgres.run(f"SET lock_timeout = 100; {statement}", database=name)
        assert postgres.run("SELECT COUNT(*) FROM counter", database=name) == [(3,)]


async def test_an_older_store(filled: Path, tmp_path: Path) -> None:
    connection = apsw.Connection(str(filled / "system.db"))
    connection.execute("PRAGMA user_version = 1")
    connection.close()
    with pytest.raises(Exception, match="schema 1") as refused:
        async with folder_to_folder(filled, tmp_path / "new"):
            pass
    assert not (tmp_path / "new").exists(), refused.value


async def test_a_newer_store(filled: Path, tmp_path: Path) -> None:
    connection = apsw.Connection(str(filled / "system.db"))
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(Unsupported, match="schema 99"):
        async with folder_to_folder(filled, tmp_path / "new"):
            pass
