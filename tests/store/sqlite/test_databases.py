"""The bound on open accounts."""

import asyncio
from pathlib import Path

import pytest

from mailstack.model.errors import NotFound
from mailstack.model.ids import AccountId, MailboxId
from mailstack.store.sqlite import databases
from mailstack.store.sqlite.open import SqliteStore, open_store
from tests.support.fake_clock import FakeClock
from tests.support.recording_bus import RecordingBus
from tests.support.running import DEADLINE_S
from tests.support.stores import make_account, new_message

INBOX = MailboxId(1)


def names(folder: Path, pattern: str) -> list[str]:
    return [file.name for file in folder.rglob(pattern)]


async def test_more_accounts_than_may_be_open_are_served_by_turns(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "MAX_OPEN_ACCOUNTS", 2)
    store = await open_store(path, clock=FakeClock(), bus=RecordingBus())
    accounts = [await make_account(store, f"user{number}@example.com") for number in range(6)]
    for _ in range(2):
        for account_id in accounts:
            await store.messages.append(account_id, INBOX, [new_message()])
            assert (await store.mailboxes.status(account_id, INBOX)).messages
    assert len(store._files.accounts._open) == 2
    for account_id in accounts:
        assert len(await store.messages.placements(account_id, INBOX)) == 2
    await store.close()
    assert names(path, "*-wal") == []


async def test_an_account_nobody_knows_gets_no_file(path: Path) -> None:
    store = await open_store(path, clock=FakeClock(), bus=RecordingBus())
    with pytest.raises(NotFound):
        await store.messages.append(AccountId("0123456789abcdef"), INBOX, [new_message()])
    await store.close()
    assert names(path, "mail.db") == []


async def test_who_asks_between_the_opening_and_its_callback_waits_without_stopping_the_loop(path: Path) -> None:
    store = await open_store(path, clock=FakeClock(), bus=RecordingBus())
    account_id = await make_account(store)
    known = store._files.accounts
    opened = await known.get(account_id)
    known._open.clear()
    opening = asyncio.get_running_loop().create_future()
    opening.add_done_callback(lambda done: known._keep(account_id, done))
    known._opening[account_id] = opening
    opening.set_result(opened)
    assert await known.get(account_id) is opened
    await store.close()


async def test_an_account_that_nobody_reads_closes_its_readers_and_opens_them_again(
    store: SqliteStore, account_id: AccountId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "REST_S", 0.01)
    await store.mailboxes.list(account_id)
    database = await store._files.accounts.get(account_id)
    assert database.is_awake
    async with asyncio.timeout(DEADLINE_S):
        while database.is_awake:  # noqa: ASYNC110 - connections have no event to wait for
            await asyncio.sleep(0.01)
    assert len(await store.mailboxes.list(account_id)) == 6
    assert database.is_awake
