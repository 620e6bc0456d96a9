"""One limit for all nodes together."""

import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from mailstack.app.crowds import WORD_MS, CrowdKeeper
from mailstack.net.admission import Admission
from mailstack.net.tally import Tally
from mailstack.store.bus_local import LocalBus
from tests.support.fake_clock import FakeClock
from tests.support.memory_crowds import MemoryCrowds
from tests.support.wakes import eventually

LIMIT = 20
HOST = "192.0.2.1"
PEER = f"smtp {HOST}"
WORKERS = 2


class Cluster:
    """workers: admissions by (node, worker), which hear of each other by crowds."""

    def __init__(self, folder: Path, held: AsyncExitStack) -> None:
        self.crowds = MemoryCrowds()
        self.clock = FakeClock()
        self.workers: dict[str, Admission] = {}
        self.keepers: dict[str, CrowdKeeper] = {}
        self._folder = folder
        self._held = held

    async def add_node(self, node: str) -> None:
        tally = Tally(WORKERS)
        for number in range(WORKERS):
            name = f"{node}{number}"
            bus = LocalBus(self._folder)
            await bus.start()
            self._held.push_async_callback(bus.close)
            self.workers[name] = Admission("smtp", tally.of(number))
            self.keepers[name] = CrowdKeeper(
                self.crowds, bus, [self.workers[name]], node=node, worker=name, clock=self.clock
            )
            self._held.push_async_callback(self.keepers[name].end)

    def admitted(self, worker: str, attempts: int, host: str = HOST) -> int:
        return sum([self.workers[worker].admit(host, limit=LIMIT, total=10_000) for _ in range(attempts)])

    async def heard(self, worker: str, count: int) -> None:
        await eventually(lambda: self.workers[worker].elsewhere.get(PEER, 0) == count)


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    async with AsyncExitStack() as held:
        cluster = Cluster(tmp_path / "bus", held)
        for node in "ab":
            await cluster.add_node(node)
        yield cluster


async def test_what_one_node_holds_another_does_not_give(cluster: Cluster) -> None:
    assert cluster.admitted("a0", 12) == 12
    await cluster.heard("b1", 12)
    assert cluster.admitted("b1", 20) == 8
    await cluster.heard("a1", 8)
    assert cluster.admitted("a1", 20) == 0
    for _ in range(5):
        cluster.workers["a0"].leave(HOST)
    await cluster.heard("b0", 7)
    assert cluster.admitted("b0", 20) == 5


async def test_connections_from_before_it_was_a_crowd_are_counted_too(cluster: Cluster) -> None:
    assert [cluster.admitted(worker, 1) for worker in ("b0", "b1", "a1")] == [1, 1, 1]
    assert cluster.admitted("a0", 3) == 3
    await cluster.heard("a0", 2)
    await cluster.heard("b0", 4)
    assert cluster.admitted("a0", 30) == LIMIT - 6


async def test_connections_that_fall_anywhere_are_as_many_as_there_may_be(cluster: Cluster) -> None:
    await cluster.add_node("c")
    pick, given = random.Random(5), 0
    for _ in range(3 * LIMIT):
        given += cluster.admitted(pick.choice([*cluster.workers]), 1)
        for _ in range(2):  # word goes round; the second time from those who then knew that it is a crowd
            for keeper in cluster.keepers.values():
                await keeper._exchange()
    assert abs(given - LIMIT) <= LIMIT // 10


async def test_a_burst_that_falls_on_all_nodes_at_once_gets_no_more_than_each_may_give(cluster: Cluster) -> None:
    given = sum([cluster.admitted(worker, LIMIT) for worker in cluster.workers])
    assert given == 2 * LIMIT
    await cluster.heard("a0", LIMIT)
    await cluster.heard("b0", LIMIT)
    for _ in range(LIMIT):
        cluster.workers["a0"].leave(HOST)
    assert cluster.admitted("a1", LIMIT) == 0  # the other node's are as many as there may be


async def test_ordinary_peers_cost_nothing(cluster: Cluster) -> None:
    for number in range(200):
        for worker in cluster.workers:
            assert cluster.admitted(worker, 1, f"10.0.0.{number}") == 1
    for keeper in cluster.keepers.values():
        await keeper._exchange()
    assert cluster.crowds.tellings == 0


async def test_what_a_dead_node_held_is_given_again(cluster: Cluster) -> None:
    assert cluster.admitted("a0", LIMIT) == LIMIT
    await cluster.heard("b0", LIMIT)
    assert cluster.admitted("b0", 1) == 0
    await cluster.keepers["a0"].end()
    cluster.clock.advance(WORD_MS)
    await cluster.heard("b0", 0)
    assert cluster.admitted("b0", LIMIT) == LIMIT


async def test_a_crowd_that_lasts_is_told_anew_in_time(cluster: Cluster) -> None:
    assert cluster.admitted("a0", LIMIT) == LIMIT
    await cluster.heard("b0", LIMIT)
    for _ in range(3):
        cluster.clock.advance(WORD_MS // 2)
        await cluster.keepers["a0"]._exchange()
        await cluster.keepers["b0"]._exchange()
        assert cluster.admitted("b0", 1) == 0


async def test_without_the_database_each_node_keeps_the_limit_for_itself(cluster: Cluster) -> None:
    assert cluster.admitted("a0", 15) == 15
    await cluster.heard("b0", 15)
    cluster.crowds.is_gone = True
    with capture_logs() as lines:
        for _ in range(2):
            await cluster.keepers["b0"]._exchange()
    assert cluster.admitted("b0", 2 * LIMIT) == LIMIT
    assert "limits hold for each node alone" in [line["event"] for line in lines]
    cluster.crowds.is_gone = False
    await cluster.heard("a0", LIMIT)
