"""Each rule of an account's rows, broken by hand, is found and named: as on SQLite, where a file can rot as well."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mailstack.model.flags import FLAGGED
from mailstack.model.ids import AccountId
from mailstack.model.mailbox import MailboxRole
from mailstack.model.upkeep import Flaw
from mailstack.store.sql.invariants import INVARIANTS, SHOWN_OF_A_RULE
from tests.store.postgres.conftest import open_at
from tests.support.damage import DAMAGE
from tests.support.postgres import PostgresServer, empty_tables, fresh_database
from tests.support.stores import mailbox_with, make_account, new_message, uids

# What is put in names the account, and a column more or less.
SAID_OTHERWISE = {
    "INSERT INTO placement SELECT * FROM (SELECT 1, 4, 1, mod_seq, 0, '', 0 FROM placement WHERE uid = 1 LIMIT 1)":
        "INSERT INTO placement SELECT account_id, 1, 4, 1, mod_seq, 0, '', 0 FROM placement WHERE uid = 1 LIMIT 1",
    "INSERT INTO blob (blob_key, blob_id, forms, content) VALUES (77, zeroblob(32), x'00', x'00')":
        "INSERT INTO blob (account_id, blob_key, blob_id, forms, content)"
        " VALUES ($account, 77, sha256(''), '\\x00', '\\x00')",
    "UPDATE blob SET blob_id = x'00' WHERE blob_key = 1": "UPDATE blob SET blob_id = '\\x00' WHERE blob_key = 1",
    "INSERT INTO head_pack VALUES (0, 2, x'', x'', x'', x'')":
        "INSERT INTO head_pack VALUES ($account, 0, 2, '', '', '', '')",
    "INSERT INTO search_index (rowid, words) VALUES (99, 'Xword')":
        "INSERT INTO search_index VALUES ($account, 99, 0, '')",
    "INSERT INTO search_partial (message_id) VALUES (99)": "INSERT INTO search_partial VALUES ($account, 99)",
    "INSERT INTO annotation VALUES (1, '', '/private/comment', x'00')":
        "INSERT INTO annotation VALUES ($account, 1, '', '/private/comment', '')",
    "INSERT INTO annotation VALUES (1, '0', '/shared/comment', x'00')":
        "INSERT INTO annotation VALUES ($account, 1, '0', '/shared/comment', '')",
    "INSERT INTO annotation VALUES (NULL, '', '/shared/Comment', x'00')":
        "INSERT INTO annotation VALUES ($account, NULL, '', '/shared/Comment', '')",
}  # fmt: skip
# The server's own foreign keys say nothing here, for they are off.
BROKEN = {
    statement: rules - {"foreign-key-check"} for statement, rules in DAMAGE.items() if rules != {"foreign-key-check"}
}


@pytest.fixture(scope="module")
def database(postgres: PostgresServer) -> Iterator[str]:
    with fresh_database(postgres) as url:
        yield url


@pytest.fixture
async def account_id(database: str, tmp_path: Path) -> AccountId:
    store = await open_at(database, tmp_path)
    empty_tables(database)
    account_id = await make_account(store)
    inbox = await mailbox_with(store, account_id, MailboxRole.INBOX)
    trash = await mailbox_with(store, account_id, MailboxRole.TRASH)
    keywords = frozenset({FLAGGED, "$Label"})
    await store.messages.append(account_id, inbox, [new_message(number, keywords=keywords) for number in range(3)])
    await store.messages.copy(account_id, inbox, uids(1), trash)
    await store.close()
    return account_id


async def flaws(database: str, folder: Path, account_id: AccountId, *, reads_messages: bool = False) -> list[Flaw]:
    store = await open_at(database, folder, read_only=True)
    try:
        found = await store.upkeep.verify(
            account_id, reads_messages=reads_messages, progress=lambda _done, _count: None
        )
        return list(found)
    finally:
        await store.close()


def damage(postgres: PostgresServer, database: str, account_id: AccountId, statement: str) -> None:
    plain = statement if "$account" in statement else statement.replace(" VALUES (", " VALUES ($account, ")
    ours = SAID_OTHERWISE.get(statement, plain)
    sql = ours.replace("$account", f"'{account_id}'")
    postgres.run(f"SET session_replication_role = replica; {sql}", database=database.rpartition("/")[2])


@pytest.mark.parametrize(("statement", "rules"), BROKEN.items(), ids=list(BROKEN))
async def test_a_broken_rule_is_found(
    postgres: PostgresServer, database: str, tmp_path: Path, account_id: AccountId, statement: str, rules: set[str]
) -> None:
    assert await flaws(database, tmp_path, account_id) == []
    damage(postgres, database, account_id, statement)
    assert {flaw.rule for flaw in await flaws(database, tmp_path, account_id)} == rules


def test_every_rule_is_broken_here() -> None:
    assert {invariant.rule for invariant in INVARIANTS} <= set().union(*BROKEN.values())


async def test_anothers_rows_are_not_looked_at(
    postgres: PostgresServer, database: str, tmp_path: Path, account_id: AccountId
) -> None:
    store = await open_at(database, tmp_path)
    bob = await make_account(store, "bob@example.com")
    inbox = await mailbox_with(store, bob, MailboxRole.INBOX)
    await store.messages.append(bob, inbox, [new_message(number) for number in range(9)])
    await store.close()
    for table in ("message", "mailbox", "change_log", "search_state"):
        damage(postgres, database, account_id, f"DELETE FROM {table} WHERE account_id = $account")  # noqa: S608
    assert await flaws(database, tmp_path, bob, reads_messages=True) == []
    assert await flaws(database, tmp_path, account_id) != []


async def test_many_flaws_of_one_kind_are_counted(
    postgres: PostgresServer, database: str, tmp_path: Path, account_id: AccountId
) -> None:
    fifty = """INSERT INTO blob (account_id, blob_key, blob_id, forms, content)
        SELECT $account, n, sha256(''), '', '' FROM generate_series(100, 149) AS n"""
    damage(postgres, database, account_id, fifty)
    found = await flaws(database, tmp_path, account_id)
    assert len(found) == SHOWN_OF_A_RULE + 1
    assert found[-1].text == "and 30 more of these"


@pytest.mark.parametrize(
    ("statement", "rule", "where"),
    [
        ("UPDATE blob SET content = (SELECT content FROM blob WHERE blob_key = 3) WHERE blob_key = 2",
         "message-bytes", "message 2"),
        ("UPDATE blob SET forms = '\\x00' WHERE blob_key = 3", "message-forms", "message 3"),
        ("INSERT INTO search_vocabulary VALUES ($account, 7, 0, '\\x00')", "search-words", "chunk 7"),
    ],
)  # fmt: skip
async def test_what_cannot_be_read_any_more_is_found_by_reading(
    postgres: PostgresServer,
    database: str,
    tmp_path: Path,
    account_id: AccountId,
    statement: str,
    rule: str,
    where: str,
) -> None:
    damage(postgres, database, account_id, statement)
    assert await flaws(database, tmp_path, account_id) == []
    (flaw,) = await flaws(database, tmp_path, account_id, reads_messages=True)
    assert (flaw.rule, flaw.where) == (rule, where)
