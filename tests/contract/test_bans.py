"""ports.bans on every engine."""

from dataclasses import replace

from mailstack.model.conduct import REMEMBERED_MS, Ban
from mailstack.model.instant import Instant
from mailstack.ports.bus import BAN_TOPIC
from mailstack.ports.store import Store
from tests.support.fake_clock import FakeClock
from tests.support.recording_bus import RecordingBus


def ban(peer: str = "192.0.2.1", *, since: int, length: int = 1_000) -> Ban:
    return Ban(peer=peer, reason="failed logins", since=Instant(since), until=Instant(since + length), times=2)


async def test_a_ban_is_in_force_until_it_ends_and_remembered_after(store: Store, clock: FakeClock) -> None:
    put = ban(since=clock())
    await store.bans.put(put)
    assert list(await store.bans.in_force(now=clock())) == [put]
    clock.advance(1_000)
    assert list(await store.bans.in_force(now=clock())) == []
    assert await store.bans.last(put.peer) == put
    assert await store.bans.last("192.0.2.2") is None


async def test_a_second_one_takes_the_place_of_the_first(store: Store, clock: FakeClock) -> None:
    first = ban(since=clock())
    second = replace(first, reason="by hand", until=Instant(first.until + 1), times=3)
    await store.bans.put(first)
    await store.bans.put(second)
    assert list(await store.bans.in_force(now=clock())) == [second]


async def test_those_that_last_longest_come_first(store: Store, clock: FakeClock) -> None:
    for number, length in ((1, 10), (2, 30), (3, 20)):
        await store.bans.put(ban(f"192.0.2.{number}", since=clock(), length=length))
    assert [each.peer[-1] for each in await store.bans.in_force(now=clock())] == ["2", "3", "1"]


async def test_a_lifted_one_is_forgotten(store: Store, clock: FakeClock) -> None:
    await store.bans.put(ban("2001:db8::/64", since=clock()))
    assert await store.bans.lift("2001:db8::/64")
    assert not await store.bans.lift("2001:db8::/64")
    assert await store.bans.last("2001:db8::/64") is None


async def test_memory_put_forgets_those_that_nobody_needs_to_remember(store: Store, clock: FakeClock) -> None:
    await store.bans.put(ban("192.0.2.1", since=clock()))
    clock.advance(1_000 + REMEMBERED_MS)
    await store.bans.put(ban("192.0.2.2", since=clock()))
    assert await store.bans.last("192.0.2.1") is None


async def test_servers_are_woken_by_put_and_by_lift(store: Store, clock: FakeClock, bus: RecordingBus) -> None:
    bus.published.clear()
    await store.bans.put(ban(since=clock()))
    assert bus.published == [BAN_TOPIC]
    assert not await store.bans.lift("192.0.2.2")
    assert await store.bans.lift("192.0.2.1")
    assert bus.published == [BAN_TOPIC] * 2
