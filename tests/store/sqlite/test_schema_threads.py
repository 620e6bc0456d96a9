"""Messages of an older store keep their threads, and answers to them find these."""

from pathlib import Path

from mailstack.model.ids import MessageId
from mailstack.model.mailbox import MailboxRole
from mailstack.store.sqlite import schema_account
from mailstack.store.sqlite.connection import Access, Connection
from mailstack.store.sqlite.databases import account_folder
from mailstack.store.sqlite.migrations import check_version
from mailstack.store.sqlite.open import open_store
from tests.support.fake_clock import FakeClock
from tests.support.recording_bus import RecordingBus
from tests.support.stores import mailbox_with, make_account, new_message

BACK_TO_4 = (
    "DROP TABLE absent_subscription",
    "DROP TABLE thread_key",
    "DROP INDEX message_thread",
    "ALTER TABLE message ADD COLUMN header_id TEXT NOT NULL DEFAULT ''",
    "CREATE INDEX message_header_id ON message (header_id) WHERE header_id <> ''",
    "PRAGMA user_version = 4",
)


async def test_an_older_store_keeps_its_threads(tmp_path: Path) -> None:
    store = await open_store(tmp_path, clock=FakeClock(), bus=RecordingBus())
    account_id = await make_account(store)
    inbox = await mailbox_with(store, account_id, MailboxRole.INBOX)
    await store.messages.append(account_id, inbox, [new_message(message_id="b@x", references=["a@x"])])
    await store.close()
    file = account_folder(tmp_path, account_id) / "mail.db"
    connection = Connection(file, Access.WRITE)
    for statement in BACK_TO_4:
        connection.run(statement)
    connection.close()

    store = await open_store(tmp_path, clock=FakeClock(), bus=RecordingBus())
    late = await store.messages.append(account_id, inbox, [new_message(message_id="a@x")])
    stored = await store.messages.stored(account_id, [MessageId(1), late[0].message_id])
    assert stored[0].thread_id == stored[1].thread_id == 1
    await store.close()
    connection = Connection(file, Access.READ)
    assert check_version(connection, schema_account.MIGRATIONS) == schema_account.MIGRATIONS[-1].number
    connection.close()
