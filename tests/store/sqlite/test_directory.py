"""Accounts that leave: their mail goes to the trash and takes no more."""

from pathlib import Path

import orjson
import pytest

from mailstack.model.errors import NotFound
from mailstack.model.ids import AccountId, MailboxId
from mailstack.model.message import FlagChange, FlagOperation
from mailstack.ports.bus import GENERATION_TOPIC
from mailstack.store.sqlite.connection import Access, Connection
from mailstack.store.sqlite.databases import account_folder
from mailstack.store.sqlite.open import SqliteStore, open_store
from tests.support.fake_clock import FakeClock
from tests.support.recording_bus import RecordingBus
from tests.support.stores import account_resource, apply, destroyed, make_account, new_message, uids

INBOX = MailboxId(1)
ALICE = account_resource("alice@example.com")


async def test_a_destroyed_accounts_folder_goes_to_the_trash_with_a_note(
    store: SqliteStore, path: Path, account_id: AccountId
) -> None:
    await store.messages.append(account_id, INBOX, [new_message()])
    await apply(store, destroyed(ALICE))
    await store.close()
    trash = path / "trash" / account_id
    note = orjson.loads((trash / "destroyed.json").read_bytes())
    assert note == {"account": "alice@example.com", "destroyed_at": "2023-11-14T22:13:20+00:00"}
    assert not account_folder(path, account_id).exists()
    connection = Connection(trash / "mail.db", Access.READ)
    assert connection.one("SELECT COUNT(*) FROM message") == (1,)
    connection.close()


async def test_a_destroyed_account_takes_no_more_mail(store: SqliteStore, account_id: AccountId) -> None:
    await store.messages.append(account_id, INBOX, [new_message()])
    await apply(store, destroyed(ALICE))
    with pytest.raises(NotFound):
        await store.messages.append(account_id, INBOX, [new_message()])


async def test_another_process_that_has_it_open_learns_by_the_bus(
    store: SqliteStore, path: Path, account_id: AccountId
) -> None:
    bus = RecordingBus()
    other = await open_store(path, clock=FakeClock(), bus=bus)
    await other.messages.append(account_id, INBOX, [new_message()])
    await apply(store, destroyed(ALICE))
    bus.publish(GENERATION_TOPIC)
    with pytest.raises(NotFound):
        await other.messages.append(account_id, INBOX, [new_message()])
    await other.close()


async def test_another_process_that_has_it_open_is_refused_though_nobody_told_it(
    store: SqliteStore, path: Path, account_id: AccountId
) -> None:
    other = await open_store(path, clock=FakeClock(), bus=RecordingBus())
    await other.messages.append(account_id, INBOX, [new_message()])
    await apply(store, destroyed(ALICE))
    await store.close()
    flagged = FlagChange(operation=FlagOperation.ADD, keywords=frozenset({"x"}), is_deleted=False)
    with pytest.raises(NotFound):
        await other.messages.append(account_id, INBOX, [new_message()])
    with pytest.raises(NotFound):
        await other.messages.change_flags(account_id, INBOX, uids(1), flagged)
    with pytest.raises(NotFound):
        await other.mailboxes.create(account_id, parent_id=None, name="Late")
    await other.close()
    connection = Connection(path / "trash" / account_id / "mail.db", Access.READ)
    assert connection.one("SELECT COUNT(*) FROM message") == (1,)
    connection.close()


async def test_a_destroyed_accounts_damaged_file_keeps_nobody_from_starting(
    store: SqliteStore, path: Path, account_id: AccountId
) -> None:
    await store.mailboxes.list(account_id)
    await apply(store, destroyed(ALICE))
    await store.close()
    folder = account_folder(path, account_id)
    folder.mkdir()
    (folder / "mail.db").write_bytes(b"no database at all, and long enough to be looked at " * 100)
    again = await open_store(path, clock=FakeClock(), bus=RecordingBus())
    await again.close()
    assert folder.exists()


async def test_a_second_folder_of_a_destroyed_account_goes_beside_the_first(
    store: SqliteStore, path: Path, account_id: AccountId
) -> None:
    await store.mailboxes.list(account_id)
    await apply(store, destroyed(ALICE))
    await store.close()
    account_folder(path, account_id).mkdir()
    again = await open_store(path, clock=FakeClock(), bus=RecordingBus())
    await again.close()
    assert sorted(entry.name for entry in (path / "trash").iterdir()) == [account_id, f"{account_id}.2"]


async def test_a_move_that_a_crash_prevented_is_made_up_for_at_the_next_start(
    store: SqliteStore, path: Path, account_id: AccountId
) -> None:
    await store.mailboxes.list(account_id)
    await apply(store, destroyed(ALICE))
    await store.close()
    (path / "trash" / account_id).rename(account_folder(path, account_id))
    again = await open_store(path, clock=FakeClock(), bus=RecordingBus())
    await again.close()
    assert (path / "trash" / account_id / "mail.db").exists()


async def test_the_successor_of_a_destroyed_account_starts_empty(store: SqliteStore, account_id: AccountId) -> None:
    await store.messages.append(account_id, INBOX, [new_message()])
    await apply(store, destroyed(ALICE))
    successor = await make_account(store)
    assert await store.messages.placements(successor, INBOX) == []
