"""No statement of an account looks at another's rows: each names the account for every table that it uses, and the
server finds them by an index that begins with the account, even with a plan made for any values and no statistics."""

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import psycopg
import pytest

from mailstack.model.ids import AccountId
from mailstack.model.mailbox import MailboxRole
from mailstack.model.message import Column
from mailstack.store.postgres import schema_account
from mailstack.store.postgres.dialect import translated
from mailstack.store.postgres.statements import OWN
from mailstack.store.postgres.upkeep import DISK_BYTES
from mailstack.store.sql import copying, invariants
from mailstack.store.sql.columns import _selects
from tests.store.postgres.conftest import open_at
from tests.support.postgres import PostgresServer, fresh_database
from tests.support.stores import mailbox_with, make_account, new_message

MODULES = (
    "annotations", "appending", "change_log", "changes", "copying", "counters", "emails", "finding", "flagging",
    "fulltext", "indexing", "listing", "mailboxes", "messages", "packs", "placing", "removal", "sharing", "tables",
    "threading", "upkeep", "vocabulary",
)  # fmt: skip
TABLES = tuple(table for migration in schema_account.MIGRATIONS for table in migration.tables)
STATEMENT = re.compile(r"\s*(?:SELECT|INSERT|UPDATE|DELETE|WITH)\b")
USE = re.compile(rf"\b(?:FROM|JOIN|UPDATE|INTO|,)\s+({'|'.join(sorted(TABLES))})\b")
ACCOUNT = re.compile(r"\baccount_id = \$1(?!\d)|\(account_id, |\bfound\s+WHERE account_id")
# Lexemes begin with the account; a file has a name that nothing else has.
LED_BY_OTHERS = frozenset({"search_index_words", "blob_file"})


def statements() -> Iterator[tuple[str, str]]:
    for module in MODULES:
        for name, value in vars(import_module(f"mailstack.store.sql.{module}")).items():
            if isinstance(value, str) and name.isupper() and STATEMENT.match(value):
                yield f"{module}.{name}", value
    for number, sql in enumerate(_selects((Column.SIZE_BYTES, Column.MESSAGE_ID))):
        yield f"columns.{number}", sql
    for invariant in invariants.INVARIANTS:
        yield f"invariants.{invariant.rule}", invariant.sql
    yield "upkeep.DISK_BYTES", DISK_BYTES


def of_accounts() -> dict[str, str]:
    """As PostgreSQL gets them, but for those of the system's tables."""
    ours = {name: translated(sql).text.decode() for name, sql in statements()}
    return {name: text for name, text in ours.items() if USE.search(text)}


@pytest.mark.parametrize(("name", "text"), of_accounts().items(), ids=list(of_accounts()))
def test_every_use_of_a_table_names_the_account(name: str, text: str) -> None:
    # The index of words is asked for by its words, which name the account, and what it gives by the account.
    assert len(ACCOUNT.findall(text)) >= len(USE.findall(text)), f"{name}: {text}"


def test_a_table_without_the_account_is_noticed() -> None:
    text = translated("SELECT p.uid FROM placement p JOIN message m ON m.message_id = p.message_id /*whole p*/")
    assert len(ACCOUNT.findall(text.text.decode())) < len(USE.findall(text.text.decode()))


def test_own_statements_are_among_them() -> None:
    known = {sql for _, sql in statements()}
    assert {sql for sql in OWN if USE.search(translated(sql).text.decode())} <= known


ONE_OF_EACH = (
    "INSERT INTO head_pack VALUES ($account, 0, 1, '', '', '', '')",
    "INSERT INTO annotation VALUES ($account, 1, '', '/shared/a', '')",
    "INSERT INTO access VALUES ($account, 1, 'anyone', '', 'lr')",
    "INSERT INTO subscription VALUES ($account, 'owner', 1)",
    "INSERT INTO absent_subscription VALUES ($account, 'a')",
    "INSERT INTO search_partial VALUES ($account, 1)",
    "INSERT INTO search_vocabulary (account_id, level, words) VALUES ($account, 0, '')",
    "INSERT INTO search_index VALUES ($account, 1, 0, 'word')",
    "INSERT INTO mailbox_keyword VALUES ($account, 1, 'word')",
    "INSERT INTO thread_key VALUES ($account, 1, 1)",
)
COLUMNS = """SELECT string_agg(column_name, ', ' ORDER BY ordinal_position) FROM information_schema.columns
    WHERE table_schema = current_schema() AND table_name = '{table}' AND column_name <> 'account_id'"""
MANY = 1_000


@pytest.fixture(scope="module")
def crowded(postgres: PostgresServer) -> Iterator[str]:
    with fresh_database(postgres) as url:
        yield url


@pytest.fixture
async def account_id(postgres: PostgresServer, crowded: str, tmp_path: Path) -> AccountId:
    """Of one among many that hold as much as it does; nothing is known of how many there are."""
    database = crowded.rpartition("/")[2]
    store = await open_at(crowded, tmp_path)
    account_id = await make_account(store)
    inbox = await mailbox_with(store, account_id, MailboxRole.INBOX)
    await store.messages.append(account_id, inbox, [new_message(number) for number in range(20)])
    await store.close()
    for statement in ONE_OF_EACH:
        postgres.run(statement.replace("$account", f"'{account_id}'"), database=database)
    for table in TABLES:
        ((columns,),) = postgres.run(COLUMNS.format(table=table), database=database)
        ours = str(columns).removeprefix("chunk, ")
        postgres.run(
            f"INSERT INTO {table} (account_id, {ours}) SELECT 'other' || n, {ours}"  # noqa: S608
            f" FROM {table}, generate_series(1, {MANY}) AS n WHERE account_id = '{account_id}'",
            database=database,
        )
    return account_id


def scans(plan: dict[str, object]) -> Iterator[str]:
    """Those of an account's tables that pass over what the account's index would lead to."""
    inner = plan.get("Plans", [])
    assert isinstance(inner, list)
    for each in inner:
        yield from scans(each)
    kind, name = str(plan["Node Type"]), str(plan.get("Index Name", ""))
    if kind == "Seq Scan" and plan["Relation Name"] in TABLES:
        yield f"all of {plan['Relation Name']}"
    if name and name not in LED_BY_OTHERS and "account_id = " not in str(plan.get("Index Cond", "")):
        yield f"all of {name}"


async def test_every_statement_is_led_to_its_account(crowded: str, account_id: AccountId) -> None:
    found: dict[str, list[str]] = {}
    with psycopg.connect(crowded, autocommit=True) as connection:
        connection.execute("SET plan_cache_mode = force_generic_plan")
        for analyzed in (False, True):
            if analyzed:
                connection.execute("ANALYZE")
            for name, text in of_accounts().items():
                connection.execute(f"PREPARE asked AS {text}".encode())
                values = [account_id, *("[1]" if f"${number}::json" in text else "1" for number in range(2, 100))]
                count = max(int(number) for number in re.findall(r"\$(\d+)", text))
                listed = ", ".join(f"'{value}'" for value in values[:count])
                rows = connection.execute(f"EXPLAIN (FORMAT JSON) EXECUTE asked ({listed})".encode()).fetchall()
                connection.execute("DEALLOCATE asked")
                if passed_over := [*scans(rows[0][0][0]["Plan"])]:
                    found[f"{name} {'with' if analyzed else 'without'} statistics"] = passed_over
    assert found == {}


async def test_messages_are_looked_for_in_a_mailbox_without_reading_all_of_it(
    empty_database: str, tmp_path: Path
) -> None:
    store = await open_at(empty_database, tmp_path)
    account_id = await make_account(store)
    inbox = await mailbox_with(store, account_id, MailboxRole.INBOX)
    await store.messages.append(account_id, inbox, [new_message(number) for number in range(300)])
    await store.close()
    plans = []
    with psycopg.connect(empty_database, autocommit=True) as connection:
        connection.execute("SET random_page_cost = 1.1")  # as the server's own connections have it
        connection.execute("SET plan_cache_mode = force_generic_plan")
        connection.execute(f"PREPARE asked AS {translated(copying.LIE_THERE).text.decode()}".encode())
        for _ in ("without statistics", "with them"):
            rows = connection.execute(f"EXPLAIN EXECUTE asked ('{account_id}', '1', '[1, 2]')".encode()).fetchall()
            plans.append("\n".join(line for (line,) in rows))
            connection.execute("ANALYZE")
    assert ["placement_message" in plan for plan in plans] == [True, True], plans
