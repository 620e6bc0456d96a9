"""What destroyed accounts leave on PostgreSQL, seen from nodes that have not heard of it yet."""

import asyncio
from pathlib import Path

import pytest

from mailstack.model.errors import NotFound
from mailstack.model.ids import AccountId, MailboxId
from mailstack.model.instant import DAY_MS, Instant
from mailstack.store.postgres import remains, schema_account
from mailstack.store.postgres.open import PostgresStore
from tests.store.postgres.conftest import open_at
from tests.support.stores import account_resource, apply, created, destroyed, new_message

INBOX = MailboxId(1)
LOGIN = "alice@example.com"
LONG_AFTER = Instant(10_000 * 365 * DAY_MS)


async def rows_of(store: PostgresStore, account_id: AccountId) -> dict[str, int]:
    tables = [table for migration in schema_account.MIGRATIONS for table in migration.tables]
    found = {}
    for table in tables:
        (row,) = await store._system.rows(f"SELECT COUNT(*) FROM {table} WHERE account_id = ?", (account_id,))  # noqa: S608
        found[table] = int(row[0])
    return found


async def test_a_node_that_has_not_heard_of_it_writes_nothing_to_a_destroyed_account(
    store: PostgresStore, account_id: AccountId, empty_database: str, tmp_path: Path
) -> None:
    node = await open_at(empty_database, tmp_path)
    await node.messages.append(account_id, INBOX, [new_message(1)])
    await apply(store, destroyed(account_resource(LOGIN)))
    with pytest.raises(NotFound):
        await node.messages.append(account_id, INBOX, [new_message(2)])
    assert [one.messages for one in await store.trash.list()] == [1]
    await node.close()


async def test_what_is_appended_while_its_account_goes_is_in_the_trash_or_refused(
    store: PostgresStore, account_id: AccountId, empty_database: str, tmp_path: Path
) -> None:
    node = await open_at(empty_database, tmp_path)
    appends = [node.messages.append(account_id, INBOX, [new_message(number)]) for number in range(20)]
    outcomes = await asyncio.gather(apply(store, destroyed(account_resource(LOGIN))), *appends, return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert all(isinstance(outcome, NotFound) for outcome in refused)
    assert sum(one.messages for one in await store.trash.list()) == 20 - len(refused)
    await node.close()


async def test_a_purge_in_pieces_leaves_no_row_and_touches_no_other_account(
    store: PostgresStore, account_id: AccountId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remains, "ROWS_AT_ONCE", 3)
    await apply(store, created(account_resource("bob@example.com")))
    bob = await store.accounts.find("bob@example.com")
    assert bob is not None
    others = bob.account_id  # type: ignore[union-attr]  # it is an account
    for one in (account_id, others):
        await store.messages.append(one, INBOX, [new_message(number) for number in range(10)])
    kept = await rows_of(store, others)
    await apply(store, destroyed(account_resource(LOGIN)))
    assert await store.trash.purge(now=LONG_AFTER) == 1
    assert set((await rows_of(store, account_id)).values()) == {0}
    assert await rows_of(store, others) == kept


async def test_what_is_being_purged_is_given_back_to_nobody(store: PostgresStore, account_id: AccountId) -> None:
    await store.messages.append(account_id, INBOX, [new_message(1)])
    await apply(store, destroyed(account_resource(LOGIN)))
    await apply(store, created(account_resource(LOGIN)))
    await store._system.write(lambda transaction: transaction.run(remains.CONDEMN, (account_id,)))
    assert await store.trash.list() == []
    with pytest.raises(NotFound, match="holds no mail any more"):
        await store.trash.restore(account_id, LOGIN)


def test_every_table_that_goes_in_pieces_is_one() -> None:
    tables = {table for migration in schema_account.MIGRATIONS for table in migration.tables}
    assert remains.KEYS.keys() <= tables
