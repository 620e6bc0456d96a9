"""No table and no column of either engine's schema is forgotten."""

import re
from collections.abc import Iterable, Mapping

import pytest

from mailstack.store.postgres import schema_account as postgres_account
from mailstack.store.postgres import schema_system as postgres_system
from mailstack.store.postgres.migrations import Migration as PostgresMigration
from mailstack.store.sqlite import schema_account, schema_system
from mailstack.store.sqlite.migrations import Migration as SqliteMigration
from mailstack.store.transfer.tables import (
    AFTER_QUEUE,
    BEFORE_QUEUE,
    BLOBS,
    LEFT_BEHIND,
    MADE_ANEW,
    OF_ACCOUNT,
    QUEUE,
    Table,
)

OF_THE_SYSTEM = (*BEFORE_QUEUE, QUEUE.table, *AFTER_QUEUE)
OF_AN_ACCOUNT = (*OF_ACCOUNT, BLOBS.table)
RENAMED = {("access", "grantee_id"): "account_id"}


def made_by(statements: Iterable[str]) -> Mapping[str, list[str]]:
    """Columns by table."""
    found: dict[str, list[str]] = {}
    for statement in statements:
        for name, body in re.findall(r"CREATE TABLE (\w+) \((.*)\)", statement, re.DOTALL):
            words = [line.split()[0] for line in re.split(r",\s*(?![^()]*\))", body.strip())]
            found[name] = [word for word in words if word not in ("PRIMARY", "FOREIGN")]
        for name, column in re.findall(r"ALTER TABLE (\w+) ADD COLUMN (\w+)", statement):
            found[name].append(column)
    return found


def all_steps(migrations: Iterable[SqliteMigration | PostgresMigration]) -> list[str]:
    return [statement for one in migrations for statement in one.statements]


@pytest.mark.parametrize(
    ("copied", "statements", "own"),
    [
        (OF_AN_ACCOUNT, all_steps(schema_account.MIGRATIONS), {"only_row"}),
        (OF_AN_ACCOUNT, all_steps(postgres_account.MIGRATIONS), {"account_id"}),
        (OF_THE_SYSTEM, all_steps(schema_system.MIGRATIONS), set()),
        (OF_THE_SYSTEM, all_steps(postgres_system.MIGRATIONS), set()),
    ],
    ids=["sqlite-account", "postgres-account", "sqlite-system", "postgres-system"],
)
def test_every_table_and_column_is_copied_or_left_out_on_purpose(
    copied: Iterable[Table], statements: Iterable[str], own: set[str]
) -> None:
    made = made_by(statements)
    by_name = {table.name: table for table in copied}
    assert made.keys() - MADE_ANEW - LEFT_BEHIND == by_name.keys()
    for name, table in by_name.items():
        columns = [RENAMED.get((name, column), column) for column in made[name] if column not in own]
        # Not their order: a later step's column stands last in the database, what a row bears stands last in a copy.
        assert sorted(table.columns) == sorted(columns), name
