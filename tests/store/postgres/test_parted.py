"""docs/examples/partition.sql: a database whose tables are parted by account is the same store."""

import subprocess
from pathlib import Path

import pytest

from mailstack.model.errors import Damaged
from mailstack.model.mailbox import MailboxRole
from tests.store.postgres.conftest import open_at
from tests.support.filled_store import ALICE, fill
from tests.support.postgres import PostgresServer
from tests.support.stores import account_of, mailbox_with, new_message

SCRIPT = Path(__file__).parents[3] / "docs" / "examples" / "partition.sql"
PARTED = "SELECT relname FROM pg_class WHERE relkind = 'p' ORDER BY relname"
WHOLE = """SELECT relname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
    WHERE relkind = 'r' AND NOT relispartition AND attname = 'account_id' ORDER BY relname"""
KEYS = """SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace AND conparentid = 0 ORDER BY 1"""
INDEXES = "SELECT indexname FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"
COUNTS = "SELECT COUNT(*) FROM {}"


def part(url: str) -> None:
    options = ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-v", "parts=3", "-f", str(SCRIPT)]
    subprocess.run(["psql", *options, url], check=True, stdout=subprocess.DEVNULL)


async def test_every_row_key_and_index_is_in_the_parts_and_the_store_goes_on(
    postgres: PostgresServer, empty_database: str, tmp_path: Path
) -> None:
    name = empty_database.rpartition("/")[2]
    store = await open_at(empty_database, tmp_path)
    await fill(store)
    await store.close()
    before = [postgres.run(sql, database=name) for sql in (KEYS, INDEXES)]
    tables = {str(table) for (table,) in postgres.run(WHOLE, database=name)}
    counts = {table: postgres.run(COUNTS.format(table), database=name) for table in tables}

    part(empty_database)

    assert [postgres.run(sql, database=name) for sql in (KEYS, INDEXES)] == before
    assert {table: postgres.run(COUNTS.format(table), database=name) for table in tables} == counts
    small = ("account", "address", "app_password", "push_subscription", "shared", "trash", "web_session")
    assert postgres.run(WHOLE, database=name) == [(table,) for table in small]
    store = await open_at(empty_database, tmp_path)
    alice = (await account_of(store, ALICE)).account_id
    inbox = await mailbox_with(store, alice, MailboxRole.INBOX)
    await store.messages.append(alice, inbox, [new_message(1_000)])
    assert await store.upkeep.verify(alice, reads_messages=True, progress=lambda _done, _count: None) == []
    await store.close()


async def test_a_part_that_is_taken_off_is_another_programs_table(
    postgres: PostgresServer, empty_database: str, tmp_path: Path
) -> None:
    """Mail of its accounts would be missing without a word."""
    await (await open_at(empty_database, tmp_path)).close()
    part(empty_database)
    name = empty_database.rpartition("/")[2]
    postgres.run("ALTER TABLE message DETACH PARTITION part.message_0", database=name)
    postgres.run("ALTER TABLE part.message_0 SET SCHEMA public", database=name)
    with pytest.raises(Damaged, match="see message_0"):
        await open_at(empty_database, tmp_path)
