"""Wake-ups within a process and between processes."""

import asyncio
import socket
import statistics
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from mailstack.store.bus_local import LocalBus

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 5
START_S = 60
WAKE_S = 0.03
"""What BUDGETS.md allows for an IDLE notification that comes from another worker."""


class Wakes:
    def __init__(self) -> None:
        self.count = 0
        self._event = asyncio.Event()

    def __call__(self) -> None:
        self.count += 1
        self._event.set()

    async def wait(self) -> None:
        async with asyncio.timeout(TIMEOUT_S):
            await self._event.wait()
        self._event.clear()


@pytest.fixture
async def buses(tmp_path: Path) -> AsyncIterator[tuple[LocalBus, LocalBus]]:
    pair = LocalBus(tmp_path / "bus"), LocalBus(tmp_path / "bus")
    for bus in pair:
        await bus.start()
    yield pair
    for bus in pair:
        await bus.close()


async def test_watchers_here_and_there_are_woken(buses: tuple[LocalBus, LocalBus]) -> None:
    here, there = Wakes(), Wakes()
    buses[0].watch("queue", here)
    buses[1].watch("queue", there)
    buses[0].publish("queue")
    assert here.count == 0
    await here.wait()
    await there.wait()


async def test_only_the_topic_that_was_watched_wakes(buses: tuple[LocalBus, LocalBus]) -> None:
    other, wanted = Wakes(), Wakes()
    buses[1].watch("account/1", other)
    buses[1].watch("account/2", wanted)
    buses[0].publish("account/2")
    await wanted.wait()
    assert other.count == 0


async def test_a_watch_that_has_ended_is_not_woken(buses: tuple[LocalBus, LocalBus]) -> None:
    ended, going = Wakes(), Wakes()
    end = buses[1].watch("queue", ended)
    buses[1].watch("queue", going)
    end()
    end()
    buses[0].publish("queue")
    await going.wait()
    assert ended.count == 0


async def test_a_watcher_that_fails_keeps_no_other_from_waking(buses: tuple[LocalBus, LocalBus]) -> None:
    def fail() -> None:
        raise RuntimeError("as the test wants it")

    after = Wakes()
    buses[0].watch("queue", fail)
    buses[0].watch("queue", after)
    buses[0].publish("queue")
    await after.wait()


async def test_one_who_comes_later_is_reached(buses: tuple[LocalBus, LocalBus], tmp_path: Path) -> None:
    first = Wakes()
    buses[1].watch("queue", first)
    buses[0].publish("queue")
    await first.wait()
    late = LocalBus(tmp_path / "bus")
    await late.start()
    woken = Wakes()
    late.watch("queue", woken)
    buses[0].publish("queue")
    await woken.wait()
    await late.close()


async def test_many_publishings_of_one_moment_wake_a_few_times(buses: tuple[LocalBus, LocalBus]) -> None:
    there = Wakes()
    buses[1].watch("queue", there)
    for _ in range(1_000):
        buses[0].publish("queue")
    await there.wait()
    assert there.count <= 2


async def test_a_flood_is_dropped_and_not_waited_for(buses: tuple[LocalBus, LocalBus]) -> None:
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


async def test_the_socket_of_a_dead_process_is_removed(buses: tuple[LocalBus, LocalBus], tmp_path: Path) -> None:
    dead = tmp_path / "bus" / "1-dead.queue.bus"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as abandoned:
        abandoned.bind(str(dead))
    here = Wakes()
    buses[0].watch("queue", here)
    buses[0].publish("queue")
    await here.wait()
    assert dead not in (tmp_path / "bus").iterdir()


async def test_nobody_is_woken_for_a_kind_of_topic_that_nobody_there_watches(
    buses: tuple[LocalBus, LocalBus], tmp_path: Path
) -> None:
    buses[1].watch("generation", Wakes())
    kinds = {path.name.split(".")[1] for path in (tmp_path / "bus").iterdir()}
    assert kinds == {"generation"}
    buses[1].watch("account/1", Wakes())
    buses[1].watch("account/2", Wakes())
    kinds = {path.name.split(".")[1] for path in (tmp_path / "bus").iterdir()}
    assert kinds == {"generation", "account"}


async def test_what_was_watched_before_the_start_is_heard(buses: tuple[LocalBus, LocalBus], tmp_path: Path) -> None:
    early, woken = LocalBus(tmp_path / "bus"), Wakes()
    early.watch("queue", woken)
    await early.start()
    buses[0].publish("queue")
    await woken.wait()
    await early.close()


async def test_close_leaves_nothing_behind_and_ends_publishing(tmp_path: Path) -> None:
    bus = LocalBus(tmp_path / "bus")
    bus.publish("before the start")
    await bus.start()
    await bus.close()
    await bus.close()
    bus.publish("after the end")
    assert list((tmp_path / "bus").iterdir()) == []


async def test_a_deep_folder_is_no_hindrance(tmp_path: Path) -> None:
    folder = tmp_path / ("deep" * 20) / ("deeper" * 10)
    one, two = LocalBus(folder), LocalBus(folder)
    await one.start()
    await two.start()
    woken = Wakes()
    two.watch("queue", woken)
    one.publish("queue")
    await woken.wait()
    await one.close()
    await two.close()


async def test_what_is_published_just_before_the_end_is_sent(buses: tuple[LocalBus, LocalBus], tmp_path: Path) -> None:
    woken: Callable[[], None]
    there = woken = Wakes()
    buses[1].watch("generation", woken)
    brief = LocalBus(tmp_path / "bus")
    await brief.start()
    brief.publish("generation")
    await brief.close()
    await there.wait()


async def test_another_process_is_woken_within_milliseconds(buses: tuple[LocalBus, LocalBus], tmp_path: Path) -> None:
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.echo_worker", str(tmp_path / "bus"), cwd=ROOT, stdin=PIPE, stdout=PIPE
    )
    assert worker.stdout is not None
    async with asyncio.timeout(START_S):
        assert await worker.stdout.readline() == b"ready\n"
    answered = Wakes()
    buses[0].watch("pong", answered)
    there_and_back = []
    for _ in range(20):
        asked = time.perf_counter()
        buses[0].publish("ping")
        await answered.wait()
        there_and_back.append(time.perf_counter() - asked)
    await worker.communicate(b"")
    assert statistics.median(there_and_back) < 2 * WAKE_S
