"""Who hears of what, once and soon; a few accounts on a real store."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from mailstack.app.clock import system_clock
from mailstack.model.errors import Damaged, TryAgainLater
from mailstack.model.ids import AccountId, MailboxId
from mailstack.model.mailbox import MailboxRole
from mailstack.model.message import FlagChange, FlagOperation
from mailstack.model.rights import Grant, RightsOperation, parse_rights
from mailstack.model.states import ALL_TYPES, MAIL_TYPES, AccountStates, StateType
from mailstack.ports.bus import GENERATION_TOPIC, account_topic
from mailstack.services.states import feed as feed_module
from mailstack.services.states.feed import Listener, StateFeed
from mailstack.store.sqlite.open import SqliteStore, open_store
from tests.support.feeds import running_feed
from tests.support.journal import note
from tests.support.recording_bus import RecordingBus
from tests.support.stores import account_of, mailbox_with, make_account, new_message, uids
from tests.support.wakes import Wakes

EMAIL, DELIVERY, QUOTA = StateType.EMAIL, StateType.EMAIL_DELIVERY, StateType.QUOTA
SEEN = FlagChange(operation=FlagOperation.ADD, keywords=frozenset({"\\Seen"}), is_deleted=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    store: SqliteStore
    bus: RecordingBus
    feed: StateFeed
    alice: AccountId
    bob: AccountId

    async def inbox(self, account_id: AccountId) -> MailboxId:
        return await mailbox_with(self.store, account_id, MailboxRole.INBOX)

    async def deliver(self, account_id: AccountId, count: int = 1) -> None:
        inbox = await self.inbox(account_id)
        for number in range(count):
            await self.store.messages.append(account_id, inbox, [new_message(number)])

    async def share(self, letters: str) -> None:
        """Alice's inbox with Bob; "" takes it away."""
        operation = RightsOperation.SET if letters else RightsOperation.REMOVE
        grant = Grant(identifier="bob@example.com", account_id=self.bob, rights=parse_rights(letters or "lr"))
        await self.store.sharing.change(self.alice, await self.inbox(self.alice), grant, operation)

    async def mod_seq(self, account_id: AccountId) -> str:
        return str(await self.store.changes.mod_seq(account_id))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    bus = RecordingBus()
    store = await open_store(tmp_path, clock=system_clock, bus=bus)
    try:
        alice = await make_account(store)
        bob = await make_account(store, "bob@example.com")
        async with running_feed(store, bus) as feed:
            yield World(store=store, bus=bus, feed=feed, alice=alice, bob=bob)
    finally:
        await store.close()


class Ear:
    """Listens, and takes what it is woken for."""

    def __init__(self) -> None:
        self.wakes = Wakes()
        self.listener: Listener

    async def hear(self) -> AccountStates:
        await self.wakes.wait()
        return self.listener.take()


async def listen(world: World, viewer: AccountId, *types: StateType, since: AccountStates | None = None) -> Ear:
    ear = Ear()
    ear.listener = await world.feed.listen(viewer, types or ALL_TYPES, ear.wakes, since=since)
    return ear


async def test_what_happens_is_heard_in_the_states_that_are_asked_for(world: World) -> None:
    await world.deliver(world.alice)
    every, some = await listen(world, world.alice), await listen(world, world.alice, DELIVERY)
    assert (every.listener.take(), some.listener.take()) == ({}, {})
    await world.deliver(world.alice)
    log = await world.mod_seq(world.alice)
    head = {StateType.MAILBOX: log, EMAIL: log, StateType.THREAD: log, DELIVERY: "2"}
    assert await every.hear() == {world.alice: head}
    assert await some.hear() == {world.alice: {DELIVERY: "2"}}
    await world.store.messages.change_flags(world.alice, await world.inbox(world.alice), uids(1), SEEN)
    assert (await every.hear())[world.alice].keys() == MAIL_TYPES - {DELIVERY}
    assert some.wakes.count == 1


async def test_what_lies_with_the_system_is_heard_of(world: World) -> None:
    ear, none = await listen(world, world.alice), await listen(world, world.alice, EMAIL, QUOTA)
    number = await note(world.store, world.alice, created="ab")
    assert await ear.hear() == {world.alice: {StateType.IDENTITY: str(number)}}
    assert none.wakes.count == 0


async def test_one_who_hears_nothing_new_is_not_woken(world: World) -> None:
    await world.deliver(world.alice)
    ear, other = await listen(world, world.alice), await listen(world, world.bob)
    world.bus.publish(account_topic(world.alice))
    await world.deliver(world.bob)
    await other.hear()
    assert ear.wakes.count == 0


async def test_a_burst_is_told_in_few_words(world: World) -> None:
    await world.deliver(world.alice)
    ear = await listen(world, world.alice, EMAIL)
    await world.deliver(world.alice, 50)
    newest = {world.alice: {EMAIL: await world.mod_seq(world.alice)}}
    async with asyncio.timeout(60):
        while await ear.hear() != newest:
            pass
    assert ear.wakes.count < 50


async def test_an_account_that_held_nothing_yet(world: World) -> None:
    ear = await listen(world, world.alice, DELIVERY)
    await world.deliver(world.alice)
    assert await ear.hear() == {world.alice: {DELIVERY: "1"}}


async def test_who_comes_back_is_told_what_they_missed(world: World) -> None:
    await world.deliver(world.alice)
    ear = await listen(world, world.alice)
    await world.deliver(world.alice)
    await ear.hear()
    known = ear.listener.told()
    ear.listener.end()
    again = await listen(world, world.alice, since=known)
    assert again.listener.take() == {}
    again.listener.end()
    await world.store.messages.change_flags(world.alice, await world.inbox(world.alice), uids(1), SEEN)
    back = await listen(world, world.alice, EMAIL, DELIVERY, since=known)
    assert back.listener.take() == {world.alice: {EMAIL: await world.mod_seq(world.alice)}}
    unknown = await listen(world, world.alice, DELIVERY, since={})
    assert unknown.listener.take() == {world.alice: {DELIVERY: "2"}}


@pytest.mark.parametrize(
    ("letters", "types"), [("l", MAIL_TYPES), ("lr", MAIL_TYPES | {QUOTA}), ("r", frozenset()), ("", frozenset())]
)
async def test_of_others_only_what_they_share(world: World, letters: str, types: frozenset[StateType]) -> None:
    await world.deliver(world.alice)
    await world.share(letters)
    ear = await listen(world, world.bob, since={})
    assert ear.listener.take().get(world.alice, {}).keys() == types
    assert ear.listener.told().get(world.alice, {}).keys() == types


async def test_who_may_not_know_any_more_hears_no_more(world: World) -> None:
    await world.deliver(world.alice)
    await world.share("lr")
    ear, owner = await listen(world, world.bob), await listen(world, world.alice)
    await world.deliver(world.alice)
    assert (await ear.hear()).keys() == {world.alice}
    await owner.hear()
    await world.share("")
    await owner.hear()
    assert ear.listener.take() == {}
    assert world.alice not in ear.listener.told()
    await world.deliver(world.alice)
    await owner.hear()
    assert ear.wakes.count == 1


async def test_what_is_shared_later_is_heard_of_later(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.deliver(world.alice)
    ear = await listen(world, world.bob)
    await world.share("lr")
    monkeypatch.setattr(feed_module, "LOOK_EVERY_S", 0.05)
    async with running(world.feed.run):
        assert (await ear.hear()).keys() == {world.alice}


async def test_a_lost_event_is_made_good(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.deliver(world.alice)
    ear = await listen(world, world.alice)
    monkeypatch.setattr(world.bus, "publish", lambda _: None)
    await world.deliver(world.alice)
    monkeypatch.setattr(feed_module, "LOOK_EVERY_S", 0.05)
    async with running(world.feed.run):
        assert (await ear.hear()).keys() == {world.alice}


async def test_who_has_ended_watches_nothing(world: World) -> None:
    ears = [await listen(world, viewer) for viewer in (world.alice, world.alice, world.bob)]
    for ear in ears:
        ear.listener.end()
        ear.listener.end()
    assert world.feed.states_of(world.alice) == {}
    assert world.bus.watched == {GENERATION_TOPIC}


@asynccontextmanager
async def running(work: Callable[[], Coroutine[None, None, None]]) -> AsyncIterator[None]:
    task = asyncio.create_task(work())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class Faulty:
    """A source that fails for some accounts, or for a while."""

    def __init__(self) -> None:
        self.states_by_id: dict[AccountId, str] = {}
        self.damaged: set[AccountId] = set()
        self.is_away = False
        self.asked = 0

    async def states(self, account_ids: Collection[AccountId]) -> AccountStates:
        self.asked += 1
        if self.is_away:
            raise TryAgainLater("the database cannot be reached")
        if self.damaged.intersection(account_ids):
            raise Damaged("unreadable")
        return {each: {StateType.IDENTITY: self.states_by_id.get(each, "0")} for each in account_ids}


@pytest.fixture
async def faulty(world: World, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Faulty, StateFeed]]:
    monkeypatch.setattr(feed_module, "RETRY_S", 0.05)
    source = Faulty()
    feed = StateFeed([source], world.store.sharing, world.bus)
    async with running(feed.run):
        yield source, feed


async def test_an_account_that_cannot_be_read_spoils_no_other(world: World, faulty: tuple[Faulty, StateFeed]) -> None:
    source, feed = faulty
    wakes = Wakes()
    listener = await feed.listen(world.alice, ALL_TYPES, wakes)
    source.damaged = {world.bob}
    with capture_logs() as logs:
        await feed.listen(world.bob, ALL_TYPES, wakes)
        source.states_by_id = {world.alice: "1", world.bob: "1"}
        for account_id in (world.alice, world.bob):
            world.bus.publish(account_topic(account_id))
        await wakes.wait()
    assert listener.take() == {world.alice: {StateType.IDENTITY: "1"}}
    assert {(line["event"], line["account"]) for line in logs} == {("states left out", world.bob)}


async def test_what_cannot_be_read_now_is_read_later(world: World, faulty: tuple[Faulty, StateFeed]) -> None:
    source, feed = faulty
    wakes = Wakes()
    listener = await feed.listen(world.alice, ALL_TYPES, wakes)
    source.is_away, source.states_by_id = True, {world.alice: "1"}
    before = source.asked
    world.bus.publish(account_topic(world.alice))
    async with asyncio.timeout(60):
        while source.asked == before:  # noqa: ASYNC110  nothing tells when
            await asyncio.sleep(0.01)
    source.is_away = False
    await wakes.wait()
    assert listener.take() == {world.alice: {StateType.IDENTITY: "1"}}
    source.is_away = True
    with pytest.raises(TryAgainLater):
        await feed.listen(world.bob, ALL_TYPES, wakes)
    assert world.bus.watched == {GENERATION_TOPIC, account_topic(world.alice)}


async def test_the_quota_is_the_one_that_is_got(world: World) -> None:
    account = await account_of(world.store, "alice@example.com")
    assert account.quota_bytes is None
    await world.deliver(world.alice)
    ear = await listen(world, world.alice, QUOTA, since={})
    assert ear.listener.take() == {world.alice: {QUOTA: "none"}}


async def test_one_that_fails_keeps_no_other_from_hearing(world: World) -> None:
    await world.deliver(world.alice)

    def fail() -> None:
        raise ZeroDivisionError

    await world.feed.listen(world.alice, ALL_TYPES, fail)
    ear = await listen(world, world.alice)
    with capture_logs() as logs:
        await world.deliver(world.alice)
        await ear.hear()
        await world.deliver(world.alice)
        await ear.hear()
    assert {line["event"] for line in logs} == {"a listener failed"}


async def test_of_very_many_some_are_looked_at_each_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "MOST_DUE", 1)
    monkeypatch.setattr(feed_module, "LOOK_EVERY_S", 0.02)
    ears = {each: await listen(world, each) for each in (world.alice, world.bob)}
    monkeypatch.setattr(world.bus, "publish", lambda _: None)
    for account_id in ears:
        await world.deliver(account_id)
    async with running(world.feed.run):
        for account_id, ear in ears.items():
            assert (await ear.hear()).keys() == {account_id}
