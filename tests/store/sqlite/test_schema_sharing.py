"""A store from before sharing opens, and can share."""

import re
from pathlib import Path

from mailstack.model.mailbox import MailboxRole
from mailstack.model.rights import Grant, parse_rights
from mailstack.store.sqlite import schema_system
from mailstack.store.sqlite.connection import Access, Connection
from mailstack.store.sqlite.migrations import check_version
from mailstack.store.sqlite.open import open_store
from tests.support.fake_clock import FakeClock
from tests.support.recording_bus import RecordingBus
from tests.support.stores import mailbox_with, make_account

ADDED = r"ALTER TABLE (\w+) ADD COLUMN (\w+)"
INDEXED = r"CREATE (?:UNIQUE )?INDEX (\w+)"


async def test_a_system_of_version_1(tmp_path: Path) -> None:
    store = await open_store(tmp_path, clock=FakeClock(), bus=RecordingBus())
    account_id = await make_account(store)
    await store.close()
    connection = Connection(tmp_path / "system.db", Access.WRITE)
    first, *later = schema_system.MIGRATIONS
    statements = "\n".join(text for one in later for text in one.statements)
    for index in re.findall(INDEXED, statements):
        connection.run(f"DROP INDEX {index}")
    for table, column in re.findall(ADDED, statements):
        connection.run(f"ALTER TABLE {table} DROP COLUMN {column}")
    for table in later[-1].tables - first.tables:
        connection.run(f"DROP TABLE {table}")
    indexes = (text for text in first.statements if re.match(INDEXED, text))
    for index in indexes:
        connection.run(index.replace("INDEX", "INDEX IF NOT EXISTS", 1))  # a later one has others in their place
    connection.pragma("user_version", "1")
    assert check_version(connection, schema_system.MIGRATIONS[:1]) == 1
    connection.close()

    store = await open_store(tmp_path, clock=FakeClock(), bus=RecordingBus())
    inbox = await mailbox_with(store, account_id, MailboxRole.INBOX)
    anyone = Grant(identifier="anyone", account_id=None, rights=parse_rights("lr"))
    await store.sharing.change(account_id, inbox, anyone)
    bob = await make_account(store, "bob@example.com")
    assert [account_id] == list(await store.sharing.owners(bob))
    await store.close()
