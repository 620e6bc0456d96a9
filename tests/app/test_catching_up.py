"""Whoever missed an event of another node is woken some seconds later."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest
from structlog.testing import capture_logs

from mailstack.app.catching_up import CatchingUp, Looked
from mailstack.app.clock import system_clock
from mailstack.app.silence import Silence
from mailstack.model.errors import TryAgainLater
from mailstack.model.ids import AccountId, Generation
from mailstack.model.instant import HOUR_MS, Instant
from mailstack.model.mailbox import MailboxRole
from mailstack.ports.bus import GENERATION_TOPIC, QUEUE_TOPIC, account_topic
from mailstack.ports.queue import Queue
from mailstack.store.bus_far import FarBus, Hear
from mailstack.store.bus_local import LocalBus
from mailstack.store.bus_nodes import NodesBus
from mailstack.store.sqlite.open import SqliteStore, open_store
from tests.support.stores import (
    account_resource,
    apply,
    created,
    mailbox_with,
    make_account,
    new_message,
    outgoing_mail,
)
from tests.support.wakes import Wakes, eventually

EVERY_S = 0.02


class DeafLine:
    """Works as bus_far.Line, and loses whatever it is told."""

    rest_s = 0.0

    async def open(self) -> None: ...
    async def listen(self, topics: Collection[str]) -> None: ...
    async def unlisten(self, topics: Collection[str]) -> None: ...
    async def send(self, topics: Collection[str]) -> None: ...

    async def until_lost(self) -> NoReturn:
        await asyncio.Event().wait()
        raise AssertionError

    async def close(self) -> None: ...


class Node:
    """What this node has; `other` is the store as another node opens it, whose events are all lost. hear: what
    each line of events was given to say that something came."""

    def __init__(self, own: SqliteStore, other: SqliteStore, bus: NodesBus, hear: list[Hear]) -> None:
        self.own = own
        self.other = other
        self.bus = bus
        self.served = Generation(0)
        self.every_s = EVERY_S
        self.looks = 0
        self.hear = hear

    def looked(self) -> Looked:
        return Looked(
            changes=self.own.changes,
            queue=self.own.queue,
            state=self.own.state,
            clock=system_clock,
            served=self._served,
        )

    def _served(self) -> Generation:
        self.looks += 1
        return self.served

    @asynccontextmanager
    async def catching_up(self, looked: Looked | None = None) -> AsyncIterator[None]:
        work = CatchingUp(self.bus, looked or self.looked(), every_s=self.every_s)
        yield
        await work.end()


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    ears: list[Hear] = []

    def make_line(hear: Hear) -> DeafLine:
        ears.append(hear)
        return DeafLine()

    bus = NodesBus(LocalBus(tmp_path / "bus"), FarBus("nothing", make_line))
    await bus.start()
    own = await open_store(tmp_path / "store", clock=system_clock, bus=bus)
    other = await open_store(tmp_path / "store", clock=system_clock, bus=Silence())
    yield Node(own, other, bus, ears)
    await own.close()
    await other.close()
    await bus.close()


@pytest.fixture
async def account_id(node: Node) -> AccountId:
    account_id = await make_account(node.other)
    await mailbox_with(node.own, account_id, MailboxRole.INBOX)
    node.served = await node.own.state.generation()
    return account_id


@pytest.fixture
async def supervisor(tmp_path: Path, node: Node) -> AsyncIterator[Wakes]:
    """Another process of the same machine, which hears of generations on the machine's bus alone."""
    bus, woken = LocalBus(tmp_path / "bus"), Wakes()
    await bus.start()
    bus.watch(GENERATION_TOPIC, woken)
    yield woken
    await bus.close()


async def deliver(store: SqliteStore, account_id: AccountId) -> None:
    inbox = await mailbox_with(store, account_id, MailboxRole.INBOX)
    await store.messages.append(account_id, inbox, [new_message()])


async def few_more_looks(node: Node) -> None:
    before = node.looks
    await eventually(lambda: node.looks > before + 2)


async def test_who_watches_an_account_hears_of_what_another_node_delivered(node: Node, account_id: AccountId) -> None:
    woken, stranger = Wakes(), Wakes()
    node.bus.watch(account_topic(account_id), woken)
    node.bus.watch(account_topic("0123456789abcdef"), stranger)
    async with node.catching_up():
        await woken.wait()  # it is new here: it may have missed something
        before = woken.count
        await deliver(node.other, account_id)
        await eventually(lambda: woken.count > before)
    assert stranger.count == 0


async def test_nobody_is_woken_while_nothing_changes(node: Node, account_id: AccountId) -> None:
    woken, runner = Wakes(), Wakes()
    node.bus.watch(account_topic(account_id), woken)
    node.bus.watch(QUEUE_TOPIC, runner)
    async with node.catching_up():
        await woken.wait()
        before = woken.count
        await few_more_looks(node)
        assert woken.count == before
        assert runner.count == 0


async def test_thousands_of_watched_accounts_are_asked_for_in_parts(node: Node, account_id: AccountId) -> None:
    woken = Wakes()
    for number in range(2_500):
        node.bus.watch(account_topic(f"{number:016x}"), Wakes())
    node.bus.watch(account_topic(account_id), woken)
    async with node.catching_up():
        await woken.wait()


async def test_mail_that_another_node_queued_and_left_is_taken_up(node: Node) -> None:
    runner = Wakes()
    node.bus.watch(QUEUE_TOPIC, runner)
    async with node.catching_up():
        await few_more_looks(node)
        assert runner.count == 0
        await node.other.queue.enqueue([outgoing_mail()], next_at=Instant(system_clock() + HOUR_MS))
        await few_more_looks(node)
        assert runner.count == 0
        await node.other.queue.enqueue([outgoing_mail()], next_at=system_clock())
        await runner.wait()


async def test_the_supervisor_hears_once_of_what_another_node_applied(node: Node, supervisor: Wakes) -> None:
    async with node.catching_up():
        await make_account(node.other)
        await supervisor.wait()
        await few_more_looks(node)
        assert supervisor.count == 1
        await apply(node.other, created(account_resource("bob@example.com"), password="$argon2id$hash"))
        await supervisor.wait()
        assert supervisor.count == 2


async def test_a_generation_that_is_served_in_the_next_moment_is_not_told(node: Node, supervisor: Wakes) -> None:
    async with node.catching_up():
        await make_account(node.other)
        node.served = await node.own.state.generation()
        await few_more_looks(node)
    assert supervisor.count == 0


async def test_an_event_of_another_node_is_not_waited_for(node: Node, supervisor: Wakes) -> None:
    node.every_s = 3_600.0
    async with node.catching_up():
        await make_account(node.other)
        node.hear[-1](GENERATION_TOPIC)
        await supervisor.wait()


async def test_a_database_that_is_gone_for_a_while_stops_nothing(node: Node, account_id: AccountId) -> None:
    woken = Wakes()
    node.bus.watch(account_topic(account_id), woken)
    queue = GoneQueue(node.own.queue)
    with capture_logs() as lines:
        async with node.catching_up(replace(node.looked(), queue=queue)):
            await eventually(lambda: queue.asked > 2)
            queue.is_gone = False
            await few_more_looks(node)
            await deliver(node.other, account_id)
            await woken.wait()
    assert [line["event"] for line in lines].count("what other nodes did cannot be looked up") == 1


class GoneQueue:
    """A queue that cannot be asked while is_gone."""

    def __init__(self, real: Queue) -> None:
        self._real = real
        self.is_gone = True
        self.asked = 0

    async def next_due(self) -> Instant | None:
        self.asked += 1
        if self.is_gone:
            raise TryAgainLater("the database is gone")
        return await self._real.next_due()
