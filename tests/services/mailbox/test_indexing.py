"""An index catches up with its mail, whatever state that is in."""

from pathlib import Path

import pytest

from mailstack.model.ids import AccountId, MailboxId
from mailstack.model.mailbox import MailboxRole
from mailstack.model.search import HasWords, Scope, Word, WordMatch
from mailstack.services.mailbox.indexing import BATCH, catch_up, index_batch, reindex
from mailstack.store.sqlite.connection import Access, Connection
from mailstack.store.sqlite.databases import account_folder
from mailstack.store.sqlite.open import SqliteStore, open_store
from tests.support.fake_clock import FakeClock
from tests.support.recording_bus import RecordingBus
from tests.support.stores import mailbox_with, make_account, new_message

TEXT = HasWords(scopes=(Scope.BODY,), words=(Word(match=WordMatch.EXACT, text="text"),))


async def opened(path: Path) -> SqliteStore:
    return await open_store(path, clock=FakeClock(), bus=RecordingBus())


async def filled(store: SqliteStore, count: int) -> tuple[AccountId, MailboxId]:
    account_id = await make_account(store)
    inbox = await mailbox_with(store, account_id, MailboxRole.INBOX)
    await store.messages.append(account_id, inbox, [new_message(number) for number in range(count)])
    return account_id, inbox


async def test_it_catches_up_in_batches(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    account_id, inbox = await filled(store, BATCH + 1)
    assert await index_batch(store.search, account_id) == BATCH
    assert await catch_up(store.search, account_id) == 1
    assert await catch_up(store.search, account_id) == 0
    assert len((await store.search.find(account_id, inbox, TEXT)).uids) == BATCH + 1
    await store.close()


async def test_what_was_indexed_before_it_was_ended_stays(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    account_id, _ = await filled(store, 2 * BATCH + 1)

    def end(done: int, goal: int | None) -> None:
        raise BrokenPipeError(done, goal)

    with pytest.raises(BrokenPipeError) as fault:
        await catch_up(store.search, account_id, report=end)
    assert fault.value.args == (BATCH, None)
    told: list[tuple[int, int | None]] = []
    assert await catch_up(store.search, account_id, report=lambda done, goal: told.append((done, goal))) == BATCH + 1
    assert told == [(BATCH, None), (BATCH + 1, None)]
    await store.close()


async def test_a_damaged_message_enters_without_words_and_is_logged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = await opened(tmp_path)
    account_id, inbox = await filled(store, 3)
    await store.close()
    file = Connection(account_folder(tmp_path, account_id) / "mail.db", Access.WRITE)
    file.run("UPDATE blob SET content = x'00' WHERE blob_key = 2")
    file.close()
    store = await opened(tmp_path)
    for _ in range(2):
        await catch_up(store.search, account_id)
    assert (await store.search.find(account_id, inbox, TEXT)).uids == [1, 3]
    assert capsys.readouterr().out.count("damaged message indexed as empty") == 1
    await store.close()


async def test_an_index_that_is_made_anew_is_as_it_was(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    account_id, inbox = await filled(store, 5)
    await catch_up(store.search, account_id)
    before = await store.search.find(account_id, inbox, TEXT)
    told: list[int] = []
    assert await reindex(store.search, account_id, progress=told.append) == 5
    assert told == [5]
    assert await store.search.find(account_id, inbox, TEXT) == before
    await store.close()
