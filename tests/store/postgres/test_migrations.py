"""Databases that are not as they should be: a plain message, and nothing changed."""

import asyncio
from pathlib import Path

import pytest

from mailstack.model.changes import LogPoint
from mailstack.model.errors import Damaged, DomainError, Forbidden, NotFound, TryAgainLater, Unsupported
from mailstack.model.mailbox import MailboxRole
from mailstack.store.postgres import migrations
from mailstack.store.postgres.link import address_of
from mailstack.store.postgres.migrations import Migration
from mailstack.store.postgres.open import PARTS
from tests.store.postgres.conftest import open_at
from tests.support.postgres import PostgresServer
from tests.support.stores import mailbox_with, make_account, new_message

TABLES = (
    """SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() ORDER BY table_name"""
)
VERSIONS = "SELECT part, number FROM schema_version ORDER BY part"


def name_of(url: str) -> str:
    return url.rpartition("/")[2]


async def opened_and_closed(url: str, folder: Path, **options: object) -> None:
    await (await open_at(url, folder, **options)).close()


async def test_an_empty_database_gets_its_tables_once_however_many_nodes_begin(
    postgres: PostgresServer, empty_database: str, tmp_path: Path
) -> None:
    await asyncio.gather(*(opened_and_closed(empty_database, tmp_path) for _ in range(4)))
    assert postgres.run(VERSIONS, database=name_of(empty_database)) == [("accounts", 3), ("system", 6)]
    assert postgres.run("SELECT COUNT(*) FROM installation", database=name_of(empty_database)) == [(1,)]


async def test_a_database_that_another_user_restored_is_told_with_what_to_do(
    postgres: PostgresServer, empty_database: str, tmp_path: Path
) -> None:
    """Its tables are hidden from information_schema: it must not be taken for an empty one."""
    await opened_and_closed(empty_database, tmp_path)
    postgres.run("CREATE ROLE heir LOGIN")
    try:
        postgres.run("GRANT CREATE ON SCHEMA public TO heir", database=name_of(empty_database))
        for options in ({}, {"read_only": True}):
            with pytest.raises(Forbidden, match=r"its user heir may not write \(.*--role=heir\)"):
                await open_at(empty_database.replace("mailstack@", "heir@"), tmp_path, **options)
    finally:
        postgres.run("DROP OWNED BY heir", database=name_of(empty_database))
        postgres.run("DROP ROLE heir")


async def test_a_name_that_is_taken_by_no_table_is_told(
    postgres: PostgresServer, empty_database: str, tmp_path: Path
) -> None:
    postgres.run("CREATE VIEW schema_version AS SELECT 1", database=name_of(empty_database))
    with pytest.raises(TryAgainLater, match='relation "schema_version" already exists'):
        await open_at(empty_database, tmp_path)


async def test_a_database_of_another_program_is_left_as_it_is(
    postgres: PostgresServer, empty_database: str, tmp_path: Path
) -> None:
    postgres.run("CREATE TABLE orders (number BIGINT)", database=name_of(empty_database))
    with pytest.raises(Forbidden, match=r"holds tables of another program \(orders …\): .* a database of its own"):
        await open_at(empty_database, tmp_path)
    assert postgres.run(TABLES, database=name_of(empty_database)) == [("orders",)]


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        (
            "UPDATE schema_version SET number = 99 WHERE part = 'system'",
            Unsupported,
            "has schema 99, .* newer mailstack",
        ),
        ("INSERT INTO schema_version VALUES ('calendars', 1)", Unsupported, "made by a newer mailstack"),
        ("DROP TABLE lease", Damaged, r"see lease\): restore a copy"),
        ("CREATE TABLE orders (number BIGINT)", Damaged, r"see orders\): restore a copy"),
        ("DELETE FROM schema_version WHERE part = 'accounts'", Damaged, "does not have the tables of its schema"),
    ],
)
async def test_what_is_newer_or_half_made_is_refused(
    postgres: PostgresServer, empty_database: str, tmp_path: Path, change: str, error: type[DomainError], text: str
) -> None:
    await opened_and_closed(empty_database, tmp_path)
    postgres.run(change, database=name_of(empty_database))
    before = postgres.run(TABLES, database=name_of(empty_database))
    for read_only in (False, True):
        with pytest.raises(error, match=text):
            await open_at(empty_database, tmp_path, read_only=read_only)
    assert postgres.run(TABLES, database=name_of(empty_database)) == before


async def test_an_older_one_is_brought_up_to_date_whole_or_not_at_all(
    postgres: PostgresServer, empty_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await opened_and_closed(empty_database, tmp_path)
    number = PARTS["system"][-1].number + 1
    later = Migration(number=number, statements=("CREATE TABLE later (number BIGINT)", "SELECT 1 / (SELECT 0)"))
    monkeypatch.setitem(PARTS, "system", (*PARTS["system"], later))
    with pytest.raises(TryAgainLater):
        await open_at(empty_database, tmp_path)
    assert ("later",) not in postgres.run(TABLES, database=name_of(empty_database))
    with pytest.raises(Unsupported, match="an older schema: a server of this version brings it up to date"):
        await open_at(empty_database, tmp_path, read_only=True)
    mended = Migration(number=number, statements=later.statements[:1])
    monkeypatch.setitem(PARTS, "system", (*PARTS["system"][:-1], mended))
    await opened_and_closed(empty_database, tmp_path)
    assert postgres.run(VERSIONS, database=name_of(empty_database)) == [("accounts", 3), ("system", number)]


async def test_who_only_looks_makes_nothing(postgres: PostgresServer, empty_database: str, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="there is no store"):
        await open_at(empty_database, tmp_path, read_only=True)
    assert postgres.run(TABLES, database=name_of(empty_database)) == []
    await opened_and_closed(empty_database, tmp_path)
    store = await open_at(empty_database, tmp_path, read_only=True)
    assert await store.tokens.list() == []
    with pytest.raises(Forbidden):
        await store.locks.release("name", "owner")
    await store.close()


async def test_a_read_only_database_can_be_looked_at_and_says_so(
    postgres: PostgresServer, empty_database: str, tmp_path: Path
) -> None:
    postgres.run(f"ALTER DATABASE {name_of(empty_database)} SET default_transaction_read_only = on")
    with pytest.raises(Forbidden, match="is read-only: it cannot be brought up to date"):
        await open_at(empty_database, tmp_path)
    postgres.run(f"ALTER DATABASE {name_of(empty_database)} RESET default_transaction_read_only")
    await opened_and_closed(empty_database, tmp_path)
    postgres.run(f"ALTER DATABASE {name_of(empty_database)} SET default_transaction_read_only = on")
    with pytest.raises(TryAgainLater, match="is read-only"):
        await open_at(empty_database, tmp_path)
    store = await open_at(empty_database, tmp_path, read_only=True)
    assert await store.tokens.list() == []
    await store.close()


async def test_rights_that_are_missing_are_told(postgres: PostgresServer, empty_database: str, tmp_path: Path) -> None:
    await opened_and_closed(empty_database, tmp_path)
    postgres.run("CREATE ROLE weak LOGIN")
    try:
        url = empty_database.replace("mailstack@", "weak@")
        with pytest.raises(DomainError, match="of weak on"):
            await open_at(url, tmp_path)
    finally:
        postgres.run("DROP ROLE weak")


async def test_a_wrong_address_is_told_without_its_password(postgres: PostgresServer, tmp_path: Path) -> None:
    url = f"postgresql://mailstack:hunter2@127.0.0.1:{postgres.port}/nowhere"
    with pytest.raises(TryAgainLater, match="the PostgreSQL database nowhere of mailstack on") as fault:
        await open_at(url, tmp_path)
    assert "hunter2" not in str(fault.value)
    with pytest.raises(ValueError, match="not an address of a PostgreSQL database") as wrong:
        address_of("postgres//hunter2")
    assert "hunter2" not in str(wrong.value)


def test_the_tables_of_a_migration_are_those_that_it_makes() -> None:
    one = migrations.Migration(number=1, statements=("CREATE TABLE a (b TEXT)", "CREATE INDEX c ON a (b)"))
    assert one.tables == ("a",)


async def test_accounts_of_the_version_before_get_what_their_change_log_lacks(
    postgres: PostgresServer, empty_database: str, tmp_path: Path
) -> None:
    store = await open_at(empty_database, tmp_path)
    account_id = await make_account(store)
    inbox = await mailbox_with(store, account_id, MailboxRole.INBOX)
    start = LogPoint(await store.changes.mod_seq(account_id))
    (appended,) = await store.messages.append(account_id, inbox, [new_message()])
    await store.close()
    for statement in (
        "ALTER TABLE change_log DROP COLUMN was_deleted",
        "UPDATE schema_version SET number = 2 WHERE part = 'accounts'",
    ):
        postgres.run(statement, database=name_of(empty_database))
    store = await open_at(empty_database, tmp_path)
    assert (await store.emails.changed(account_id, start, limit=9)).created == (appended.message_id,)
    await store.close()
