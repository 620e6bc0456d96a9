"""ports.bus on every engine: watchers are woken here and in other processes, soon, and never with data.

Events may be lost, and some buses lose those that are published before the other end is known to listen. So a test that
needs a first event publishes until it comes.
"""

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from pathlib import Path
from typing import Protocol

import pytest

from mailstack.ports.bus import Bus
from mailstack.store.bus_local import LocalBus
from mailstack.store.bus_nats import NatsServers, nats_bus
from mailstack.store.bus_nodes import NodesBus
from mailstack.store.bus_notify import notify_bus
from tests.support.nats import running_nats
from tests.support.postgres import fresh_database
from tests.support.wakes import TIMEOUT_S, Wakes, reach

ROOT = Path(__file__).parents[2]


class RunningBus(Bus, Protocol):
    async def start(self) -> None: ...
    async def close(self) -> None: ...


Join = Callable[[], RunningBus]
"""Makes a further end of the bus, not started: as each process of each node has one."""
Opened = tuple[Join, tuple[str, ...]]
"""With what another process is told so that it finds the same bus (support.echo_worker)."""
Engine = Callable[[Path, pytest.FixtureRequest], AbstractContextManager[Opened]]


@contextmanager
def local(folder: Path, _request: pytest.FixtureRequest) -> Iterator[Opened]:
    yield lambda: LocalBus(folder / "bus"), ("local", str(folder / "bus"))


@contextmanager
def nats(folder: Path, _request: pytest.FixtureRequest) -> Iterator[Opened]:
    nodes = count()
    with running_nats(folder) as server:
        servers = NatsServers(urls=(server.url,), prefix="mailstack.test")
        yield lambda: nats_bus(servers, node=f"node{next(nodes)}"), ("nats", server.url)


@contextmanager
def notify(_folder: Path, request: pytest.FixtureRequest) -> Iterator[Opened]:
    nodes = count()
    with fresh_database(request.getfixturevalue("postgres")) as url:
        yield lambda: notify_bus(url, node=f"node{next(nodes)}"), ("notify", url)


@contextmanager
def nodes(folder: Path, _request: pytest.FixtureRequest) -> Iterator[Opened]:
    """Machines with a bus of their own, and NATS between them."""
    numbers = count()

    def join() -> NodesBus:
        node = f"node{next(numbers)}"
        return NodesBus(LocalBus(folder / node), nats_bus(servers, node=node))

    with running_nats(folder) as server:
        servers = NatsServers(urls=(server.url,), prefix="mailstack.test")
        yield join, ("nats", server.url)


ENGINES: tuple[Engine, ...] = (local, nats, notify, nodes)


@pytest.fixture(params=ENGINES, ids=lambda engine: str(engine.__name__))
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opened]:
    with request.param(tmp_path, request) as opened:
        yield opened


@pytest.fixture
def join(engine: Opened) -> Join:
    return engine[0]


@pytest.fixture
async def buses(join: Join) -> AsyncIterator[tuple[RunningBus, RunningBus]]:
    pair = join(), join()
    for bus in pair:
        await bus.start()
    yield pair
    for bus in pair:
        await bus.close()


async def listening(sender: Bus, listener: Bus, topic: str) -> Wakes:
    """A watcher that is known to be reached, and that nothing more is on its way to."""
    woken, last = Wakes(), Wakes()
    listener.watch(topic, woken)
    await reach(sender, topic, woken)
    end = listener.watch("the last word", last)
    await reach(sender, "the last word", last)
    end()
    woken.count = 0
    return woken


async def test_watchers_here_and_there_are_woken(buses: tuple[RunningBus, RunningBus]) -> None:
    here, there = Wakes(), await listening(*buses, "queue")
    buses[0].watch("queue", here)
    buses[0].publish("queue")
    assert here.count == 0
    await here.wait()
    await there.wait()


async def test_only_the_topic_that_was_watched_wakes(buses: tuple[RunningBus, RunningBus]) -> None:
    other, wanted = Wakes(), Wakes()
    buses[1].watch("account/1", other)
    buses[1].watch("account/2", wanted)
    await reach(buses[0], "account/2", wanted)
    assert other.count == 0


async def test_a_watch_that_has_ended_is_not_woken(buses: tuple[RunningBus, RunningBus]) -> None:
    ended, going = Wakes(), Wakes()
    end = buses[1].watch("queue", ended)
    buses[1].watch("queue", going)
    end()
    end()
    await reach(buses[0], "queue", going)
    assert ended.count == 0


async def test_a_topic_that_is_watched_again_is_heard_again(buses: tuple[RunningBus, RunningBus]) -> None:
    first, second = Wakes(), Wakes()
    end = buses[1].watch("account/1", first)
    await reach(buses[0], "account/1", first)
    end()
    buses[1].watch("account/1", second)
    await reach(buses[0], "account/1", second)


async def test_a_watcher_that_fails_keeps_no_other_from_waking(buses: tuple[RunningBus, RunningBus]) -> None:
    def fail() -> None:
        raise RuntimeError("as the test wants it")

    after = Wakes()
    buses[0].watch("queue", fail)
    buses[0].watch("queue", after)
    buses[0].publish("queue")
    await after.wait()


async def test_one_who_comes_later_is_reached(buses: tuple[RunningBus, RunningBus], join: Join) -> None:
    await listening(*buses, "queue")
    late = join()
    await late.start()
    woken = Wakes()
    late.watch("queue", woken)
    await reach(buses[0], "queue", woken)
    await late.close()


async def test_many_publishings_of_one_moment_wake_a_few_times(buses: tuple[RunningBus, RunningBus]) -> None:
    there = await listening(*buses, "queue")
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
    async with asyncio.timeout(TIMEOUT_S):
        while not last.count:
            buses[0].publish("last")
            await asyncio.sleep(0)


async def test_ten_thousand_topics_are_told_apart(buses: tuple[RunningBus, RunningBus]) -> None:
    woken = [Wakes() for _ in range(10_000)]
    for number, wakes in enumerate(woken):
        buses[1].watch(f"account/{number}", wakes)
    for number in (0, 4_999, 9_999):
        await reach(buses[0], f"account/{number}", woken[number])
    assert [number for number, wakes in enumerate(woken) if wakes.count] == [0, 4_999, 9_999]


async def test_what_was_watched_before_the_start_is_heard(buses: tuple[RunningBus, RunningBus], join: Join) -> None:
    early, woken = join(), Wakes()
    early.watch("queue", woken)
    await early.start()
    await reach(buses[0], "queue", woken)
    await early.close()


async def test_what_is_published_just_before_the_end_is_sent(buses: tuple[RunningBus, RunningBus], join: Join) -> None:
    there = await listening(*buses, "generation")
    brief = join()
    await brief.start()
    brief.publish("generation")
    await brief.close()
    await there.wait()


async def test_before_the_start_and_after_the_end_nothing_is_published_and_nothing_fails(
    buses: tuple[RunningBus, RunningBus], join: Join
) -> None:
    there = await listening(*buses, "queue")
    bus = join()
    bus.publish("queue")
    await bus.start()
    await bus.close()
    await bus.close()
    bus.publish("queue")
    last = Wakes()
    buses[1].watch("last", last)
    await reach(buses[0], "last", last)
    assert there.count == 0


async def test_another_process_is_woken_and_answers(buses: tuple[RunningBus, RunningBus], engine: Opened) -> None:
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.echo_worker", *engine[1], cwd=ROOT, stdin=PIPE, stdout=PIPE
    )
    assert worker.stdout is not None
    async with asyncio.timeout(TIMEOUT_S):
        assert await worker.stdout.readline() == b"ready\n"
    answered = Wakes()
    buses[0].watch("pong", answered)
    await reach(buses[0], "ping", answered)
    await worker.communicate(b"")
