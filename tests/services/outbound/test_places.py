"""Places at one destination: who waits, who is let go, and what is remembered."""

import asyncio

import pytest

from mailstack.model.delivery import Deferred, Priority, SmtpReply
from mailstack.model.instant import MINUTE_MS, Instant
from mailstack.services.outbound import places as places_module
from mailstack.services.outbound.limits import Group
from mailstack.services.outbound.places import Crowd, Places, Slowed
from tests.support.fake_clock import FakeClock
from tests.support.running import until

MX: Group = ("mx.test",)
RATE = Deferred(reply=SmtpReply(code=421, status="4.7.28", text="rate"), host="mx.test")


async def hold(places: Places, entered: list[Crowd], leave: asyncio.Event, group: Group = MX, most: int = 2) -> None:
    async with places.one(group, most, Priority.BULK) as crowd:
        entered.append(crowd)
        await leave.wait()


async def turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)  # a turn for the others


async def test_those_who_wait_are_let_go_when_it_is_left_alone() -> None:
    clock = FakeClock()
    places, entered, leave = Places(clock), list[Crowd](), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for _ in range(10):
            group.create_task(hold(places, entered, leave))
        await turns()
        assert len(entered) == 2
        places.note(MX, entered[0], [RATE])
        await turns()
        assert len(entered) == 10
        assert all(crowd.pace.is_off(clock.now) for crowd in entered)
        leave.set()
    async with places.one(MX, 2, Priority.BULK) as crowd:
        assert crowd.pace.is_off(clock.now)
        assert crowd.inside == 1


async def test_one_who_is_cut_short_leaves_no_place_taken() -> None:
    places, entered, leave = Places(FakeClock()), list[Crowd](), asyncio.Event()
    tasks = [asyncio.create_task(hold(places, entered, leave, most=1)) for _ in range(3)]
    await turns()
    tasks[1].cancel()
    tasks[0].cancel()
    await turns()
    assert len(entered) == 2
    tasks[2].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    async with asyncio.timeout(1), places.one(MX, 1, Priority.BULK):
        pass


async def test_what_was_cut_short_in_the_moment_of_its_turn_passes_it_on() -> None:
    places, entered, leave = Places(FakeClock()), list[Crowd](), asyncio.Event()
    first, second, third = (asyncio.create_task(hold(places, entered, leave, most=1)) for _ in range(3))
    await turns()
    leave.set()
    await asyncio.sleep(0)  # a turn for the others
    second.cancel()
    await asyncio.gather(first, second, third, return_exceptions=True)
    assert third.exception() is None
    assert second.cancelled() or len(entered) == 3


async def test_memory_only_those_in_trouble_are_remembered_and_no_more_than_so_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(places_module, "MAX_REMEMBERED", 5)
    places = Places(FakeClock())
    for number in range(20):
        async with places.one((f"well{number}.test",), 2, Priority.BULK):
            pass
    assert not places._crowds
    for number in range(20):
        async with places.one((f"mx{number}.test",), 2, Priority.BULK) as crowd:
            places.note((f"mx{number}.test",), crowd, [RATE])
    assert list(places._crowds) == [(f"mx{number}.test",) for number in range(15, 20)]
    async with places.one(("mx15.test",), 2, Priority.BULK):
        for number in range(20, 30):
            async with places.one((f"mx{number}.test",), 2, Priority.BULK) as crowd:
                places.note((f"mx{number}.test",), crowd, [RATE])
    assert len(places._crowds) == 5


async def test_who_gets_fewer_connections_is_told_with_what_it_said() -> None:
    clock = FakeClock()
    places = Places(clock)
    closing = Deferred(reply=SmtpReply(code=421, status="4.3.2", text="closing"), host="b.test")
    for name, outcome in (("c.test", RATE), ("b.test", closing), ("a.test", None)):
        async with places.one((name, "25"), 4, Priority.BULK) as crowd:
            if outcome is not None:
                places.note((name, "25"), crowd, [outcome])
    until = Instant(clock.now + 5 * MINUTE_MS)
    assert places.slowed() == [
        Slowed(destination="b.test", connections=2, most=4, until=None, why="421 4.3.2 closing"),
        Slowed(destination="c.test", connections=1, most=4, until=until, why="421 4.7.28 rate"),
    ]
    clock.advance(6 * MINUTE_MS)
    assert [each.until for each in places.slowed()] == [None, None]


async def test_a_place_that_is_free_again_is_somebody_elses() -> None:
    places, entered = Places(FakeClock()), list[Crowd]()
    leaves = [asyncio.Event() for _ in range(6)]

    async def all_in() -> bool:
        return len(entered) == 6

    async with asyncio.TaskGroup() as group:
        for leave in leaves:
            group.create_task(hold(places, entered, leave))
        for leave in leaves:
            leave.set()
            await turns()
        await until(all_in)
    assert not places._crowds


async def test_a_place_that_is_free_goes_to_what_somebody_wrote_before_it_goes_to_lists() -> None:
    places, came = Places(FakeClock()), list[Priority]()

    async def visit(priority: Priority) -> None:
        async with places.one(MX, 1, priority):
            came.append(priority)
            await asyncio.sleep(0)  # a turn for the others

    async with asyncio.TaskGroup() as group:
        for priority in (Priority.BULK, Priority.BULK, Priority.BOUNCE, Priority.SUBMISSION, Priority.SUBMISSION):
            group.create_task(visit(priority))
    assert came == [Priority.BULK, Priority.SUBMISSION, Priority.SUBMISSION, Priority.BULK, Priority.BOUNCE]
