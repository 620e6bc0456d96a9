"""Opening: what is made, what is refused, and looking without a trace."""

import os
import stat
from pathlib import Path

import apsw
import pytest

from mailstack.model.errors import Damaged, Forbidden, NotFound, TryAgainLater, Unsupported
from mailstack.model.ids import AccountId, MailboxId
from mailstack.store.sqlite.open import SqliteStore, open_store
from tests.support.fake_clock import FakeClock
from tests.support.recording_bus import RecordingBus
from tests.support.stores import account_of, account_resource, apply, created, make_account, new_message


async def look(path: Path) -> SqliteStore:
    return await open_store(path, clock=FakeClock(), bus=RecordingBus(), read_only=True)


async def make(path: Path) -> AccountId:
    store = await open_store(path, clock=FakeClock(), bus=RecordingBus())
    account_id = await make_account(store)
    await store.mailboxes.list(account_id)
    await store.close()
    return account_id


def traces(path: Path) -> dict[str, bytes]:
    return {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()}


def modes(path: Path) -> dict[Path, int]:
    return {file.relative_to(path): stat.S_IMODE(file.stat().st_mode) for file in path.rglob("*")}


def put(file: Path, content: bytes) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(content)


def alter(file: Path, statement: str) -> None:
    connection = apsw.Connection(str(file))
    connection.execute(statement).fetchall()
    connection.close()


async def test_looking_at_nothing_is_not_found_and_makes_nothing(path: Path) -> None:
    with pytest.raises(NotFound):
        await look(path)
    assert not (path.parent / path.name).exists()


async def test_looking_leaves_no_trace(path: Path) -> None:
    account_id = await make(path)
    before = traces(path)
    store = await look(path)
    assert (await account_of(store, "alice@example.com")).account_id == account_id
    assert len((await store.state.snapshot()).resources) == 1
    assert len(await store.mailboxes.list(account_id)) == 6
    await store.close()
    assert traces(path) == before


async def test_looking_while_it_is_served_sees_the_latest(path: Path, store: SqliteStore) -> None:
    looking = await look(path)
    await apply(store, created(account_resource("late@example.com")))
    later = await look(path)
    assert await later.accounts.find("late@example.com") is not None
    await looking.close()
    await later.close()


async def test_one_who_looks_cannot_write(path: Path) -> None:
    account_id = await make(path)
    store = await look(path)
    with pytest.raises(Forbidden):
        await apply(store, created(account_resource("late@example.com")))
    with pytest.raises(Forbidden):
        await store.mailboxes.create(account_id, parent_id=None, name="x")
    await store.close()


async def test_an_account_that_was_never_used_is_not_found_by_one_who_looks(path: Path) -> None:
    store = await open_store(path, clock=FakeClock(), bus=RecordingBus())
    account_id = await make_account(store)
    await store.close()
    looking = await look(path)
    with pytest.raises(NotFound):
        await looking.mailboxes.list(account_id)
    await looking.close()


@pytest.mark.parametrize("read_only", [False, True])
async def test_a_newer_schema_is_refused_and_left_alone(path: Path, read_only: bool) -> None:
    await make(path)
    alter(path / "system.db", "PRAGMA user_version = 99")
    before = (path / "system.db").read_bytes()
    with pytest.raises(Unsupported, match=r"schema 99.*newer mailstack"):
        await open_store(path, clock=FakeClock(), bus=RecordingBus(), read_only=read_only)
    assert (path / "system.db").read_bytes() == before


async def test_a_newer_account_file_is_refused_and_others_are_served(path: Path) -> None:
    account_id = await make(path)
    alter(path / "accounts" / account_id[:2] / account_id / "mail.db", "PRAGMA user_version = 99")
    store = await open_store(path, clock=FakeClock(), bus=RecordingBus())
    other = await make_account(store, "bob@example.com")
    with pytest.raises(Unsupported):
        await store.mailboxes.list(account_id)
    assert len(await store.mailboxes.list(other)) == 6
    await store.close()


async def test_a_schema_that_is_not_whole_is_refused(path: Path) -> None:
    await make(path)
    alter(path / "system.db", "DROP TABLE lease")
    with pytest.raises(Damaged, match="lease"):
        await open_store(path, clock=FakeClock(), bus=RecordingBus())


async def test_a_file_that_is_no_database_is_refused(path: Path) -> None:
    put(path / "system.db", b"not a database, and long enough to be looked at " * 100)
    with pytest.raises(Damaged, match=r"system\.db"):
        await open_store(path, clock=FakeClock(), bus=RecordingBus())


async def test_a_folder_that_cannot_be_made_is_named(path: Path) -> None:
    put(path, b"a file where the folder should be")
    with pytest.raises(TryAgainLater, match=str(path)):
        await open_store(path, clock=FakeClock(), bus=RecordingBus())


async def test_a_store_in_use_is_opened_by_others(path: Path, store: SqliteStore, account_id: AccountId) -> None:
    other = await open_store(path, clock=FakeClock(), bus=RecordingBus())
    assert await other.state.digest_key() == await store.state.digest_key()
    assert await other.mailboxes.list(account_id) == await store.mailboxes.list(account_id)
    await other.close()


async def test_nobody_else_may_read_what_it_makes(path: Path) -> None:
    put(path / "a file of the administrator's", b"")
    before = os.umask(0)
    try:
        store = await open_store(path, clock=FakeClock(), bus=RecordingBus())
        account_id = await make_account(store)
        await store.messages.append(account_id, MailboxId(1), [new_message(), new_message(size_bytes=100_000)])
        found = modes(path)
        await store.close()
    finally:
        os.umask(before)
    assert {file.suffix for file in found} >= {".db", ".db-wal", ".db-shm", ".zst"}
    assert [str(file) for file, mode in found.items() if mode & 0o077] == ["a file of the administrator's"]
