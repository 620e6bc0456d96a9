"""ports.bus on every engine: watchers are woken here and in other processes, soon, and never with data."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Protocol

import pytest

from mailstack.ports.bus import Bus
from mailstack.store.bus_local import LocalBus
from tests.support.wakes import TIMEOUT_S, Wakes


class RunningBus(Bus, Protocol):
    async def start(self) -> None: ...
    async def close(self) -> None: ...


def local_bus(path: Path) -> RunningBus:
    return LocalBus(path / "bus")


# Each makes one process's end of the same bus; another engine adds a line.
ENGINES: tuple[Callable[[Path], RunningBus], ...] = (local_bus,)

Join = Callable[[], RunningBus]


@pytest.fixture(params=ENGINES, ids=lambda engine: str(engine.__name__))
def join(request: pytest.FixtureRequest, tmp_path: Path) -> Join:
    """A further end of the bus, not started."""
    return lambda: request.param(tmp_path)


@pytest.fixture
async def buses(join: Join) -> AsyncIterator[tuple[RunningBus, RunningBus]]:
    pair = join(), join()
    for bus in pair:
        await bus.start()
    yield pair
    for bus in pair:
        await bus.close()


async def test_watchers_here_and_there_are_woken(buses: tuple[RunningBus, RunningBus]) -> None:
    here, there = Wakes(), Wakes()
    buses[0].watch("queue", here)
    buses[1].watch("queue", there)
    buses[0].publish("queue")
    assert here.count == 0
    await here.wait()
    await there.wait()


async def test_only_the_topic_that_was_watched_wakes(buses: tuple[RunningBus, RunningBus]) -> None:
    other, wanted = Wakes(), Wakes()
    buses[1].watch("account/1", other)
    buses[1].watch("account/2", wanted)
    buses[0].publish("account/2")
    await wanted.wait()
    assert other.count == 0


async def test_a_watch_that_has_ended_is_not_woken(buses: tuple[RunningBus, RunningBus]) -> None:
    ended, going = Wakes(), Wakes()
    end = buses[1].watch("queue", ended)
    buses[1].watch("queue", going)
    end()
    end()
    buses[0].publish("queue")
    await going.wait()
    assert ended.count == 0


async def test_a_watcher_that_fails_keeps_no_other_from_waking(buses: tuple[RunningBus, RunningBus]) -> None:
    def fail() -> None:
        raise RuntimeError("as the test wants it")

    after = Wakes()
    buses[0].watch("queue", fail)
    buses[0].watch("queue", after)
    buses[0].publish("queue")
    await after.wait()


async def test_one_who_comes_later_is_reached(buses: tuple[RunningBus, RunningBus], join: Join) -> None:
    first = Wakes()
    buses[1].watch("queue", first)
    buses[0].publish("queue")
    await first.wait()
    late = join()
    await late.start()
    woken = Wakes()
    late.watch("queue", woken)
    buses[0].publish("queue")
    await woken.wait()
    await late.close()


async def test_many_publishings_of_one_moment_wake_a_few_times(buses: tuple[RunningBus, RunningBus]) -> None:
    there = Wakes()
    buses[1].watch("queue", there)
    for _ in range(1_000):
        buses[0].publish("queue")
    await there.wait()
    assert there.count <= 2


async def test_a_flood_is_dropped_and_not_waited_for(buses: tuple[RunningBus, RunningBus]) -> None:
    buses[1].watch("account/1", Wakes())
    for number in range(5_000):
        buses[0].publish(f"account/{number}")
    last = Wakes()
    buses[1].watch("last", last)
    await asyncio.sleep(0)
    async with asyncio.timeout(TIMEOUT_S):
        while not last.count:
            buses[0].publish("last")
            await asyncio.sleep(0)


async def test_what_was_watched_before_the_start_is_heard(buses: tuple[RunningBus, RunningBus], join: Join) -> None:
    early, woken = join(), Wakes()
    early.watch("queue", woken)
    await early.start()
    buses[0].publish("queue")
    await woken.wait()
    await early.close()


async def test_what_is_published_just_before_the_end_is_sent(buses: tuple[RunningBus, RunningBus], join: Join) -> None:
    woken: Callable[[], None]
    there = woken = Wakes()
    buses[1].watch("generation", woken)
    brief = join()
    await brief.start()
    brief.publish("generation")
    await brief.close()
    await there.wait()
