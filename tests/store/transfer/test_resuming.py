"""A copy that was interrupted goes on, and what it fills is nobody's to serve before it is whole."""

import asyncio
from pathlib import Path
from typing import Any

import apsw
import pytest

from mailstack.model.errors import Forbidden
from mailstack.model.mailbox import MailboxRole
from mailstack.store.postgres.link import address_of
from mailstack.store.postgres.open import open_store as open_postgres_store
from mailstack.store.sql.row_blobs import RowBlobs
from mailstack.store.sqlite.open import open_store
from mailstack.store.transfer.copying import copy_store
from tests.store.transfer.conftest import folder_to_folder, moved, to_postgres, unheard
from tests.support.fake_clock import FakeClock
from tests.support.filled_store import BOB, fill, rows_in
from tests.support.recording_bus import RecordingBus
from tests.support.stores import account_of, account_resource, apply, destroyed, mailbox_with, new_message


class Interruption:
    """Of a copy, as Ctrl-C would, when an account is begun after so many others."""

    def __init__(self, accounts: int) -> None:
        self._left = accounts
        self._begun: set[str] = set()
        self._task = asyncio.current_task()

    def __call__(self, whose: str, _done: int, _total: int) -> None:
        self._begun.add(whose)
        if len(self._begun) > self._left:
            assert self._task is not None
            self._task.cancel()


def half_an_account(old: Path, new: Path) -> None:
    """The first page of a file that is not done yet."""
    done = {what for (what,) in rows_of(new / "system.db", "SELECT what FROM copy_progress")}
    left = next(file for file in old.glob("accounts/*/*/mail.db") if file.parent.name not in done)
    half = new / left.relative_to(old)
    half.parent.mkdir(parents=True, exist_ok=True)
    half.write_bytes(left.read_bytes()[:1024])


async def interrupted(old: Path, new: Path, *, accounts: int = 2) -> None:
    with pytest.raises(asyncio.CancelledError):
        async with folder_to_folder(old, new) as (source, target):
            await copy_store(source, target, progress=Interruption(accounts), at_once=1)


async def test_it_goes_on_after_the_accounts_that_are_done(filled: Path, tmp_path: Path) -> None:
    new = tmp_path / "new"
    await interrupted(filled, new)
    async with folder_to_folder(filled, new) as (source, target):
        outcome = await copy_store(source, target, progress=unheard)
    assert (outcome.kept, outcome.accounts, outcome.failures) == (2, 3, {})
    assert moved(rows_in(new)) == moved(rows_in(filled))


async def test_half_an_account_is_written_anew(filled: Path, tmp_path: Path) -> None:
    new = tmp_path / "new"
    await interrupted(filled, new, accounts=1)
    half_an_account(filled, new)
    async with folder_to_folder(filled, new) as (source, target):
        assert (await copy_store(source, target, progress=unheard)).is_finished
    assert moved(rows_in(new)) == moved(rows_in(filled))


async def test_on_postgres_too(filled: Path, tmp_path: Path, empty_database: str) -> None:
    with pytest.raises(asyncio.CancelledError):
        await to_postgres(filled, empty_database, RowBlobs(tmp_path), Interruption(1), at_once=1)
    outcome = await to_postgres(filled, empty_database, RowBlobs(tmp_path))
    assert (outcome.kept, outcome.accounts, outcome.failures) == (1, 3, {})


async def test_what_changed_in_the_old_store_meanwhile_is_copied_again(filled: Path, tmp_path: Path) -> None:
    new = tmp_path / "new"
    await interrupted(filled, new, accounts=3)
    store = await open_store(filled, clock=FakeClock(), bus=RecordingBus())
    bob = (await account_of(store, BOB)).account_id
    await store.messages.append(bob, await mailbox_with(store, bob, MailboxRole.INBOX), [new_message(5)])
    await store.close()
    async with folder_to_folder(filled, new) as (source, target):
        outcome = await copy_store(source, target, progress=unheard)
    assert (outcome.kept, outcome.accounts) == (2, 3)
    assert moved(rows_in(new)) == moved(rows_in(filled))


async def test_an_account_that_was_destroyed_meanwhile_goes_to_the_trash(filled: Path, tmp_path: Path) -> None:
    new = tmp_path / "new"
    await interrupted(filled, new, accounts=3)
    store = await open_store(filled, clock=FakeClock(), bus=RecordingBus())
    await apply(store, destroyed(account_resource(BOB)))
    await store.close()
    async with folder_to_folder(filled, new) as (source, target):
        assert (await copy_store(source, target, progress=unheard)).is_finished
    assert moved(rows_in(new)) == moved(rows_in(filled))


@pytest.mark.parametrize("read_only", [True, False])
async def test_half_a_copy_is_not_opened_from_a_folder(filled: Path, tmp_path: Path, read_only: bool) -> None:
    await interrupted(filled, tmp_path / "new")
    with pytest.raises(Forbidden, match="run `mailstack storage copy` again"):
        await open_store(tmp_path / "new", clock=FakeClock(), bus=RecordingBus(), read_only=read_only)


@pytest.mark.parametrize("read_only", [True, False])
async def test_half_a_copy_is_not_opened_from_a_database(
    filled: Path, tmp_path: Path, empty_database: str, read_only: bool
) -> None:
    with pytest.raises(asyncio.CancelledError):
        await to_postgres(filled, empty_database, RowBlobs(tmp_path), Interruption(1), at_once=1)
    with pytest.raises(Forbidden, match="run `mailstack storage copy` again"):
        await open_postgres_store(
            address_of(empty_database),
            blobs=RowBlobs(tmp_path),
            clock=FakeClock(),
            bus=RecordingBus(),
            read_only=read_only,
        )


async def test_half_a_copy_takes_no_other_store(filled: Path, tmp_path: Path) -> None:
    await interrupted(filled, tmp_path / "new")
    before = rows_in(tmp_path / "new")
    other = await open_store(tmp_path / "other", clock=FakeClock(), bus=RecordingBus())
    await fill(other)
    await other.close()
    async with folder_to_folder(tmp_path / "other", tmp_path / "new") as (source, target):
        with pytest.raises(Forbidden, match="unfinished copy of another store"):
            await copy_store(source, target, progress=unheard)
    assert rows_in(tmp_path / "new") == before


async def test_what_was_damaged_in_the_new_store_meanwhile_is_copied_again(filled: Path, tmp_path: Path) -> None:
    """Its rows are as they were: only who opens the messages sees it."""
    new = tmp_path / "new"
    await interrupted(filled, new, accounts=3)
    holding = [file for file in new.glob("accounts/*/*/mail.db") if rows_of(file, "SELECT 1 FROM blob")]
    change(holding[0], "UPDATE blob SET content = x'00112233' WHERE content IS NOT NULL")
    async with folder_to_folder(filled, new) as (source, target):
        outcome = await copy_store(source, target, progress=unheard)
    assert (outcome.kept, outcome.accounts, outcome.damage) == (2, 3, {})
    assert moved(rows_in(new)) == moved(rows_in(filled))


@pytest.mark.parametrize("at_once", [1, 2, 4])
async def test_it_is_the_same_however_many_accounts_go_at_a_time(filled: Path, tmp_path: Path, at_once: int) -> None:
    async with folder_to_folder(filled, tmp_path / "new") as (source, target):
        outcome = await copy_store(source, target, progress=unheard, at_once=at_once)
    assert (outcome.accounts, outcome.failures) == (3, {})
    assert moved(rows_in(tmp_path / "new")) == moved(rows_in(filled))


def rows_of(file: Path, statement: str) -> list[tuple[Any, ...]]:
    connection = apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        return list(connection.execute(statement))
    finally:
        connection.close()


def change(file: Path, statement: str) -> None:
    connection = apsw.Connection(str(file))
    connection.execute(statement)
    connection.close()
