"""A database that is not as it should be, at the whole server: each command says so plainly, and nothing is changed."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from mailstack.store.postgres import schema_system
from tests.support.commands import run_command
from tests.support.postgres import PostgresServer
from tests.support.sandbox import MAILSTACK, run_client

pytestmark = pytest.mark.slow

SPEC = """\
server:
  hostname: mail.example.com
  workers: 1
  listeners: {smtp: [], imaps: [], submission: [], submissions: [], managesieve: [], imap: [], http: [], https: []}
storage: {path: state, database: env/MAIL_DATABASE}
domains: {example.com: {}}
accounts: {alice@example.com: {}}
"""
COMMANDS = (("apply", "--yes", "--no-dns"), ("plan", "--no-dns"), ("serve",), ("storage", "check"))
TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1"
IS_READ_ONLY = "ALTER DATABASE {name} SET default_transaction_read_only = on"


def run(spec: Path, url: str, *command: str) -> "subprocess.CompletedProcess[bytes]":
    if command == ("serve",):
        return run_client([*MAILSTACK, *command, str(spec)], MAIL_DATABASE=url)
    return run_command(*command, str(spec), MAIL_DATABASE=url)


def rows_of(postgres: PostgresServer, database: str) -> Mapping[str, list[str]]:
    tables = [str(table) for (table,) in postgres.run(TABLES, database=database)]
    return {table: sorted(map(repr, postgres.run(f"SELECT * FROM {table}", database=database))) for table in tables}  # noqa: S608


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    file = tmp_path / "mailstack.yaml"
    file.write_text(SPEC)
    return file


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            "UPDATE schema_version SET number = 99 WHERE part = 'system'",
            f"has schema 99, this program knows {schema_system.MIGRATIONS[-1].number}: use a newer",
        ),
        ("DROP TABLE lease", "does not have the tables of its schema (see lease): restore a copy"),
        (IS_READ_ONLY, "is read-only"),
    ],
    ids=["newer", "half_made", "read_only"],
)
def test_a_store_that_cannot_be_used_is_told_and_left_alone(
    spec: Path, postgres: PostgresServer, empty_database: str, change: str, told: str
) -> None:
    name = empty_database.rpartition("/")[2]
    first = run(spec, empty_database, "apply", "--yes", "--no-dns")
    assert first.returncode == 0, first.stderr
    postgres.run(change.format(name=name), database=name)
    before = rows_of(postgres, name)
    spec.write_text(SPEC.replace("alice@", "bob@example.com: {}, alice@"))
    for command in COMMANDS:
        ended = run(spec, empty_database, *command)
        if (change, command[0]) == (IS_READ_ONLY, "plan"):
            assert ended.returncode == 2, ended.stderr  # looking is enough for it
            continue
        assert ended.returncode == 1, (command, ended.stdout, ended.stderr)
        assert told in (ended.stdout + ended.stderr).decode(), (command, ended.stdout, ended.stderr)
        assert b"Traceback" not in ended.stderr
        assert b"internal error" not in ended.stderr
    assert rows_of(postgres, name) == before


def test_another_program_s_database_is_told_and_left_alone(
    spec: Path, postgres: PostgresServer, empty_database: str
) -> None:
    name = empty_database.rpartition("/")[2]
    postgres.run("CREATE TABLE orders (number BIGINT)", database=name)
    for command in COMMANDS:
        ended = run(spec, empty_database, *command)
        assert ended.returncode == 1, (command, ended.stdout, ended.stderr)
        assert b"holds tables of another program (orders" in ended.stdout + ended.stderr, (command, ended.stderr)
        assert b"Traceback" not in ended.stderr
    assert rows_of(postgres, name) == {"orders": []}
