"""A network that breaks: nothing that was acknowledged is lost, and nothing is there twice."""

import asyncio
import threading
from pathlib import Path

import psycopg
import pytest
from structlog.testing import capture_logs

from mailstack.model.errors import TryAgainLater
from mailstack.model.ids import AccountId, MailboxId
from mailstack.ports.bus import account_topic
from mailstack.store.postgres import databases, pool
from mailstack.store.postgres.link import Limits
from mailstack.store.postgres.open import PostgresStore
from mailstack.store.sql.database import Connection, Transaction
from tests.store.postgres.conftest import open_at
from tests.support.cutting_proxy import CuttingProxy, Loss
from tests.support.fake_clock import FakeClock
from tests.support.postgres import PostgresServer, fresh_database, running_postgres
from tests.support.recording_bus import RecordingBus
from tests.support.running import DEADLINE_S, until
from tests.support.stores import make_account, new_message

INBOX = MailboxId(1)
ADD = """INSERT INTO mail (reverse_path, is_8bit, smtp_utf8, trace_id, queued_at, size_bytes, blob_id)
    VALUES (?, 0, 0, '', 0, 0, ?)"""
COUNT = "SELECT COUNT(*) FROM mail WHERE reverse_path = ?"


async def add(store: PostgresStore, path: str) -> None:
    """A transaction without a question: it goes out at once, with its COMMIT."""

    def work(transaction: Transaction) -> None:
        transaction.run(ADD, (path, b""))

    await store._system.write(work)


async def added(store: PostgresStore, path: str) -> int:
    row = await store._system.row(COUNT, (path,))
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("loss", [Loss.REQUEST, Loss.ANSWER])
@pytest.mark.parametrize("after", range(5))
async def test_a_message_whose_connection_breaks_at_any_point_is_stored_once(
    store: PostgresStore, account_id: AccountId, proxy: CuttingProxy, bus: RecordingBus, loss: Loss, after: int
) -> None:
    await store.messages.append(account_id, INBOX, [new_message(1)])
    bus.published.clear()
    proxy.lose(loss, after=after)
    (appended,) = await store.messages.append(account_id, INBOX, [new_message(2)])
    assert [place.uid for place in await store.messages.placements(account_id, INBOX)] == [1, 2]
    assert appended.uid == 2
    assert bus.published == [account_topic(account_id)]


@pytest.mark.parametrize("loss", [Loss.REQUEST, Loss.ANSWER])
async def test_a_write_of_a_single_round_trip_is_done_once(
    store: PostgresStore, proxy: CuttingProxy, loss: Loss
) -> None:
    proxy.lose(loss)
    await add(store, "one@example.com")
    assert proxy.has_lost
    assert await added(store, "one@example.com") == 1


async def test_what_was_long_on_its_way_is_not_done_a_second_time(store: PostgresStore, proxy: CuttingProxy) -> None:
    proxy.lose(Loss.LATE)
    await add(store, "late@example.com")
    assert await added(store, "late@example.com") == 1
    await proxy.release()
    assert await added(store, "late@example.com") == 1


async def test_a_clock_that_is_wrong_by_days_makes_no_commit_be_taken_for_lost(
    store: PostgresStore, proxy: CuttingProxy, empty_database: str, tmp_path: Path
) -> None:
    await add(store, "before@example.com")
    other = await open_at(empty_database, tmp_path, clock=FakeClock(2_000_000_000_000))
    await other.close()
    proxy.lose(Loss.ANSWER)
    await add(store, "one@example.com")
    assert proxy.has_lost
    assert await added(store, "one@example.com") == 1


async def test_a_connection_whose_mark_was_forgotten_counts_on(
    store: PostgresStore, proxy: CuttingProxy, empty_database: str
) -> None:
    await add(store, "before@example.com")
    with psycopg.connect(empty_database, autocommit=True) as outside:
        outside.execute("DELETE FROM connection_mark")
    proxy.lose(Loss.ANSWER)
    await add(store, "one@example.com")
    assert proxy.has_lost
    assert await added(store, "one@example.com") == 1


async def test_a_commit_is_settled_also_when_that_has_to_wait_for_a_connection(
    empty_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await open_at(empty_database, tmp_path, most_links=1)
    await add(store, "one@example.com")
    link = await store._engine.pool.take()
    monkeypatch.setattr(pool, "WAIT_S", 0.01)
    settling = asyncio.ensure_future(store._engine.was_committed((link.next_mark()[0], link.marks)))

    async def has_given_up_once() -> bool:
        return len(store._engine.pool._waiting) > 1

    await until(has_given_up_once)
    store._engine.pool.give_back(link)
    assert await settling
    await store.close()


async def test_a_transaction_that_hangs_in_the_network_is_ended_by_the_server(
    store: PostgresStore, account_id: AccountId, proxy: CuttingProxy
) -> None:
    await store.messages.append(account_id, INBOX, [new_message(1)])
    proxy.lose(Loss.LATE, after=1)  # the account's counter is locked by then
    await store.messages.append(account_id, INBOX, [new_message(2)])
    assert proxy.has_lost
    assert len(await store.messages.placements(account_id, INBOX)) == 2


async def test_a_newer_node_may_change_the_tables_of_what_was_prepared(store: PostgresStore) -> None:
    for _ in range(2):
        assert await store._system.rows("SELECT lease_until FROM lease") == []
    await store._system.rows("ALTER TABLE lease ALTER COLUMN lease_until TYPE NUMERIC")
    assert await store._system.rows("SELECT lease_until FROM lease") == []


async def test_reads_are_asked_again(store: PostgresStore, account_id: AccountId, proxy: CuttingProxy) -> None:
    mailboxes = await store.mailboxes.list(account_id)
    for _ in range(3):
        proxy.cut()
        assert await store.mailboxes.list(account_id) == mailboxes


async def test_what_a_work_announces_counts_once_however_often_it_ran(
    store: PostgresStore, proxy: CuttingProxy, bus: RecordingBus
) -> None:
    tidied: list[int] = []
    runs: list[int] = []

    def work(transaction: Transaction) -> None:
        runs.append(1)
        transaction.announce("topic")
        transaction.after_commit(lambda: tidied.append(1))
        transaction.run(ADD, ("again@example.com", b""))

    proxy.lose(Loss.REQUEST)
    await store._system.write(work)
    await store.close()
    assert (len(runs), bus.published, tidied) == (2, ["topic"], [1])


async def test_what_the_work_itself_refuses_is_not_tried_again(store: PostgresStore) -> None:
    def work(transaction: Transaction) -> None:
        transaction.run(ADD, ("refused@example.com", b""))
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await store._system.write(work)
    assert await added(store, "refused@example.com") == 0


async def test_a_caller_that_is_cancelled_leaves_the_write_whole(store: PostgresStore, proxy: CuttingProxy) -> None:
    proxy.delay_s = 0.2
    writing = asyncio.ensure_future(add(store, "cancelled@example.com"))
    await asyncio.sleep(0)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    await add(store, "other@example.com")
    async with asyncio.timeout(DEADLINE_S):
        while not await added(store, "cancelled@example.com"):  # noqa: ASYNC110 - nobody tells us
            await asyncio.sleep(0.01)


async def test_a_long_read_whose_caller_is_cancelled_keeps_its_link_to_itself(
    store: PostgresStore, proxy: CuttingProxy
) -> None:
    await add(store, "a@example.com")
    has_begun = threading.Event()

    def read(connection: Connection) -> int:
        has_begun.set()
        return sum(int(connection.one(COUNT, (path,))[0]) for path in ("a@example.com", "b@example.com"))

    proxy.delay_s = 0.2
    reading = asyncio.ensure_future(store._system.read_long(read))
    await asyncio.to_thread(has_begun.wait)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert [await added(store, "a@example.com") for _ in range(4)] == [1, 1, 1, 1]
    async with asyncio.timeout(20):  # an answer that never came would be waited for, for half a minute
        await store.close()


async def test_a_server_that_crashes_and_comes_back_is_hardly_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "RETRY_S", 60.0)  # however long this machine takes to start it
    with running_postgres(settings=()) as server, fresh_database(server) as url:
        store = await open_at(url, tmp_path)
        await add(store, "before@example.com")
        await asyncio.to_thread(server.stop, at_once=True)
        writing = asyncio.ensure_future(add(store, "meanwhile@example.com"))
        await asyncio.to_thread(server.start)
        await writing
        assert [await added(store, f"{when}@example.com") for when in ("before", "meanwhile")] == [1, 1]
        await store.close()


async def test_a_server_that_stays_away_is_a_passing_fault_that_names_the_database(
    postgres: PostgresServer, empty_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "RETRY_S", 0.2)
    store = await open_at(empty_database, tmp_path)
    await asyncio.to_thread(postgres.stop)
    with capture_logs() as lines:
        await _stay_away(store, postgres)
        assert await added(store, "away@example.com") == 0
    told = [line for line in lines if line["log_level"] != "debug"]
    assert [line["event"] for line in told] == ["database cannot be used", "database is back"]
    assert told[0]["log_level"] == "error"
    await store.close()


async def _stay_away(store: PostgresStore, postgres: PostgresServer) -> None:
    try:
        with pytest.raises(TryAgainLater, match=r"the PostgreSQL database test_\d+ of mailstack on 127.0.0.1:\d+"):
            await add(store, "away@example.com")
        with pytest.raises(TryAgainLater):
            await added(store, "away@example.com")
    finally:
        # Not in a thread of this loop: the server would end with it, and others need it.
        postgres.start()


async def test_answers_that_take_their_time_are_waited_for(
    store: PostgresStore, account_id: AccountId, proxy: CuttingProxy
) -> None:
    proxy.delay_s = 1.0
    await store.messages.append(account_id, INBOX, [new_message(1)])
    proxy.delay_s = 0.0
    assert len(await store.messages.placements(account_id, INBOX)) == 1


async def test_answers_that_never_come_are_given_up_and_nothing_is_doubled(
    network: tuple[CuttingProxy, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "RETRY_S", 0.2)
    monkeypatch.setattr(databases, "SETTLE_S", 0.2)
    proxy, url = network
    store = await open_at(url, tmp_path, limits=Limits(connect_s=2, answer_s=1.0, held_s=3))
    await add(store, "before@example.com")
    proxy.delay_s = 60.0
    with pytest.raises(TryAgainLater, match="cannot be used: "):
        await added(store, "before@example.com")
    with pytest.raises(TryAgainLater):
        await add(store, "silent@example.com")
    proxy.delay_s = 0.0
    proxy.cut()
    assert await added(store, "before@example.com") == 1
    assert await added(store, "silent@example.com") <= 1  # the caller was told to come again, for nobody knew
    await store.close()


async def test_a_load_keeps_to_the_bound_of_connections_and_leaves_none_behind(
    network: tuple[CuttingProxy, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "IDLE_S", 0.1)
    proxy, url = network
    store = await open_at(url, tmp_path, most_links=3)
    account_id = await make_account(store)
    await asyncio.gather(*(store.messages.append(account_id, INBOX, [new_message(number)]) for number in range(30)))
    await asyncio.gather(*(store.mailboxes.status(account_id, INBOX) for _ in range(100)))
    assert store._engine.pool.count <= 3
    async with asyncio.timeout(DEADLINE_S):
        while proxy.open_connections:  # noqa: ASYNC110 - nobody tells us
            await asyncio.sleep(0.02)
    assert (await store.mailboxes.status(account_id, INBOX)).messages == 30
    await store.close()


async def test_long_reads_leave_connections_for_the_short(store: PostgresStore, account_id: AccountId) -> None:
    gate = threading.Event()

    def waits(connection: Connection) -> None:
        connection.rows("SELECT 1")
        assert gate.wait(30)

    database = await store._accounts.get(account_id)
    long_reads = [asyncio.ensure_future(database.read_long(waits)) for _ in range(2 * pool.MOST)]
    await asyncio.sleep(0)
    assert len(await store.mailboxes.list(account_id)) == 6
    await store.messages.append(account_id, INBOX, [new_message(1)])
    gate.set()
    await asyncio.gather(*long_reads)
