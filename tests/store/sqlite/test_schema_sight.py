"""An account's file from before its change log knew what was \\Deleted opens, and tells what has changed."""

from pathlib import Path

from mailstack.model.changes import LogPoint
from mailstack.model.ids import ModSeq
from mailstack.model.mailbox import MailboxRole
from mailstack.model.message import FlagChange, FlagOperation
from mailstack.store.sqlite import schema_account
from mailstack.store.sqlite.connection import Access, Connection
from mailstack.store.sqlite.databases import account_folder
from mailstack.store.sqlite.migrations import check_version
from mailstack.store.sqlite.open import open_store
from tests.support.fake_clock import FakeClock
from tests.support.recording_bus import RecordingBus
from tests.support.stores import mailbox_with, make_account, new_message, uids

DELETE = FlagChange(operation=FlagOperation.ADD, keywords=frozenset(), is_deleted=True)


async def test_data_loss_by_migration_its_log_goes_on(tmp_path: Path) -> None:
    store = await open_store(tmp_path, clock=FakeClock(), bus=RecordingBus())
    account_id = await make_account(store)
    inbox = await mailbox_with(store, account_id, MailboxRole.INBOX)
    start = LogPoint(await store.changes.mod_seq(account_id))
    first, second = await store.messages.append(account_id, inbox, [new_message(1), new_message(2)])
    await store.close()
    file = account_folder(tmp_path, account_id) / "mail.db"
    connection = Connection(file, Access.WRITE)
    connection.run("ALTER TABLE change_log DROP COLUMN was_deleted")
    connection.pragma("user_version", "2")
    assert check_version(connection, schema_account.MIGRATIONS[:2]) == 2
    connection.close()

    store = await open_store(tmp_path, clock=FakeClock(), bus=RecordingBus())
    told = await store.emails.changed(account_id, start, limit=9)
    assert (told.created, told.updated) == ((first.message_id, second.message_id), ())
    await store.messages.change_flags(account_id, inbox, uids(1), DELETE)
    await store.messages.expunge(account_id, inbox)
    told = await store.emails.changed(account_id, told.point, limit=9)
    assert (told.created, told.updated, told.destroyed) == ((), (), (first.message_id,))
    assert len(await store.changes.since(account_id, ModSeq(start.mod_seq))) == 4
    assert file.with_name("mail.db.v2").exists()
    await store.close()
