"""Both engines have the same tables with the same columns, but for the account's."""

from pathlib import Path

import pytest

from mailstack.store.postgres import schema_account, schema_system
from mailstack.store.sqlite import schema_account as sqlite_account
from mailstack.store.sqlite import schema_system as sqlite_system
from mailstack.store.sqlite.databases import open_migrated
from mailstack.store.sqlite.migrations import LIST_TABLES
from mailstack.store.sqlite.search_tables import INDEX_TABLES
from tests.store.postgres.conftest import open_at
from tests.support.postgres import PostgresServer

Columns = dict[str, set[str]]

SEARCH = INDEX_TABLES - {"search_partial", "search_state", "search_vocabulary"} | {"search_index"}
ONLY_HERE = {"blob_object", "connection_mark", "crowd", "schema_version"}
LIST_COLUMNS = """SELECT table_name, column_name FROM information_schema.columns
    WHERE table_schema = current_schema()"""
KEYS = """SELECT c.relname, a.attname FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
    WHERE c.relnamespace = current_schema()::regnamespace"""
COLLATED = """SELECT data_type, collation_name FROM information_schema.columns
    WHERE table_schema = current_schema() AND table_name <> 'schema_version'"""


def sqlite_columns(folder: Path) -> tuple[Columns, Columns]:
    parts = []
    for name, schema in (("system", sqlite_system), ("account", sqlite_account)):
        connection = open_migrated(folder / f"{name}.db", schema.MIGRATIONS, page_size=4096)
        tables = {str(table) for (table,) in connection.rows(LIST_TABLES)} - SEARCH
        parts.append({table: {row[1] for row in connection.rows(f"PRAGMA table_info({table})")} for table in tables})
        connection.close()
    return parts[0], parts[1]


@pytest.fixture
async def database(postgres: PostgresServer, empty_database: str, tmp_path: Path) -> str:
    await (await open_at(empty_database, tmp_path)).close()
    return empty_database.rpartition("/")[2]


async def test_the_columns_are_the_same(postgres: PostgresServer, database: str, tmp_path: Path) -> None:
    ours: Columns = {}
    for table, column in postgres.run(LIST_COLUMNS, database=database):
        if table not in SEARCH | ONLY_HERE:
            ours.setdefault(str(table), set()).add(str(column))
    system, account = sqlite_columns(tmp_path)
    for columns in account.values():
        columns.discard("only_row")
    account["access"].discard("account_id")  # the grantee's, which has another name where the first is taken
    account["access"].add("grantee_id")
    expected = system | {table: columns | {"account_id"} for table, columns in account.items()}
    assert ours == expected


async def test_every_key_of_an_accounts_table_begins_with_the_account(postgres: PostgresServer, database: str) -> None:
    first = {(str(table), str(column)) for table, column in postgres.run(KEYS, database=database)}
    ours = {table for migration in schema_account.MIGRATIONS for table in migration.tables}
    assert ours == {table for table, _ in first if table in ours}
    # An object store's garbage is looked for by its name; of words it is the octets that begin with the account.
    assert {one for one in first if one[0] in ours and one[1] != "account_id"} == {
        ("blob", "file"),
        ("search_index", "words"),
    }


async def test_texts_compare_by_octets_and_numbers_are_as_large_as_sqlites(
    postgres: PostgresServer, database: str
) -> None:
    kinds = {(str(kind), collation) for kind, collation in postgres.run(COLLATED, database=database)}
    assert kinds - {("tsvector", None)} == {
        ("text", "C"),
        ("bigint", None),
        ("bytea", None),
        ("double precision", None),
    }


def test_the_numbers_of_the_versions_are_sqlites() -> None:
    assert schema_account.MIGRATIONS[-1].number == sqlite_account.MIGRATIONS[-1].number
    assert schema_system.MIGRATIONS[-1].number == sqlite_system.MIGRATIONS[-1].number
