"""Writers that get in each other's way, on one node and on several."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from mailstack.model.errors import Conflict, NotFound, TryAgainLater
from mailstack.model.ids import AccountId, MailboxId
from mailstack.store.postgres import databases
from mailstack.store.postgres.open import PostgresStore
from mailstack.store.postgres.remains import RowRemains
from mailstack.store.sql.database import Connection, Transaction
from mailstack.store.sql.trash import SqlTrash
from tests.store.postgres.conftest import open_at
from tests.support.fake_clock import FakeClock
from tests.support.postgres import PostgresServer
from tests.support.stores import account_resource, apply, destroyed, make_account, new_message

INBOX = MailboxId(1)
WAITING = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
ADD = "INSERT INTO lease (name, owner, lease_until) VALUES (?, '', 0)"
OWN = "UPDATE lease SET owner = ? WHERE name = ?"


@pytest.fixture
async def other_node(store: PostgresStore, empty_database: str, tmp_path: Path) -> AsyncIterator[PostgresStore]:
    opened = await open_at(empty_database, tmp_path)
    yield opened
    await opened.close()


async def test_deliveries_of_two_nodes_to_one_account_are_all_there_with_uids_of_their_own(
    store: PostgresStore, other_node: PostgresStore, account_id: AccountId
) -> None:
    nodes = (store, other_node)
    writes = [nodes[number % 2].messages.append(account_id, INBOX, [new_message(number)]) for number in range(40)]
    appended = [one for (one,) in await asyncio.gather(*writes)]
    assert sorted(one.uid for one in appended) == list(range(1, 41))
    assert len({one.mod_seq for one in appended}) == 40
    status = await other_node.mailboxes.status(account_id, INBOX)
    assert (status.messages, status.uid_next) == (40, 41)


async def test_the_first_use_of_an_account_on_many_nodes_makes_its_mailboxes_once(
    store: PostgresStore, other_node: PostgresStore, account_id: AccountId
) -> None:
    lists = await asyncio.gather(*(node.mailboxes.list(account_id) for node in (store, other_node) * 4))
    assert {len(found) for found in lists} == {6}


async def test_a_deadlock_is_nobodys_fault(store: PostgresStore, other_node: PostgresStore) -> None:
    for name in "ab":
        await store._system.write(lambda transaction, name=name: transaction.run(ADD, (name,)))  # type: ignore[misc]
    barrier = asyncio.Barrier(2)
    loop = asyncio.get_running_loop()
    tries: list[str] = []

    def both(first: str, second: str, owner: str, transaction: Transaction) -> None:
        tries.append(owner)
        transaction.run_counted(OWN, (owner, first))
        if len(tries) <= 2:  # in threads: they wait for each other, and then for each other's row
            asyncio.run_coroutine_threadsafe(barrier.wait(), loop).result()
        transaction.run_counted(OWN, (owner, second))

    await asyncio.gather(
        store._system.write(lambda transaction: both("a", "b", "one", transaction), is_long=True),
        other_node._system.write(lambda transaction: both("b", "a", "two", transaction), is_long=True),
    )
    assert len(tries) == 3
    owners = await store._system.rows("SELECT owner FROM lease")
    assert len({owner for (owner,) in owners}) == 1


async def test_what_clashes_for_ever_is_given_up(
    store: PostgresStore, empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "RETRY_S", 0.3)
    runs = []

    def work(transaction: Transaction) -> None:
        runs.append(1)
        transaction.rows("SELECT name FROM lease")
        # As serialization failures are told.
        transaction.run("DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $$")

    with pytest.raises(TryAgainLater, match="again"):
        await store._system.write(work)
    assert len(runs) > 2


class RestoreThatLooks(RowRemains):
    """Once it has seen that an account is empty, it lets another node use it for the first time."""

    def __init__(self, store: PostgresStore, meanwhile: Callable[[], Awaitable[None]]) -> None:
        super().__init__(store._system)
        self._loop = asyncio.get_running_loop()
        self._meanwhile = meanwhile

    def held(self, connection: Connection | Transaction, account_id: AccountId) -> tuple[int, int]:
        found = super().held(connection, account_id)
        asyncio.run_coroutine_threadsafe(_run(self._meanwhile), self._loop).result()
        return found


async def _run(work: Callable[[], Awaitable[None]]) -> None:
    await work()


async def test_mail_that_comes_while_an_account_is_restored_does_not_end_in_the_trash(
    store: PostgresStore, other_node: PostgresStore, account_id: AccountId, postgres: PostgresServer
) -> None:
    await store.messages.append(account_id, INBOX, [new_message(1)])
    await apply(store, destroyed(account_resource("alice@example.com")))
    empty_id = await make_account(store)
    delivering: list[asyncio.Task[object]] = []

    async def deliver() -> None:
        delivering.append(asyncio.ensure_future(other_node.messages.append(empty_id, INBOX, [new_message(2)])))
        async with asyncio.timeout(60):
            while not (delivering[0].done() or postgres.run(WAITING)):  # noqa: ASYNC110 - nobody tells us
                await asyncio.sleep(0.01)

    trash = SqlTrash(store._system, RestoreThatLooks(store, deliver), clock=FakeClock(), committed=lambda: None)
    restored = (await asyncio.gather(trash.restore(account_id, "alice@example.com"), return_exceptions=True))[0]
    (delivered,) = await asyncio.gather(*delivering, return_exceptions=True)
    trashed = {one.account_id: one.messages for one in await store.trash.list()}
    if isinstance(restored, Conflict):
        assert trashed == {account_id: 1}
    else:
        assert isinstance(delivered, NotFound)  # whoever is told so asks again, and finds the other account
        assert trashed == {}
