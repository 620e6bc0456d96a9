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
from tests.support.places import Peers
from tests.support.wakes import eventually

LIMIT = 20
HOST = "192.0.2.1"
PEER = f"smtp {HOST}"
WORKERS = 2


class Cluster:
    """workers: their peers by node and number, which hear of each other by crowds."""

    def __init__(self, folder: Path, held: AsyncExitStack) -> None:
        self.crowds = MemoryCrowds()
        self.clock = FakeClock()
        self.workers: dict[str, Peers] = {}
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
            self.workers[name] = Peers(Admission("smtp", tally.of(number)), limit=LIMIT)
            self.keepers[name] = CrowdKeeper(
                self.crowds, bus, [self.workers[name].admission], node=node, worker=name, clock=self.clock
            )
            self._held.push_async_callback(self.keepers[name].end)

    def admitted(self, worker: str, attempts: int, host: str = HOST) -> int:
        return self.workers[worker].admitted(host, attempts)

    @property
    def held(self) -> int:
        return sum([len(peers.held) for peers in self.workers.values()])

    async def exchange(self, times: int = 1) -> None:
        """Word goes round; those who are asked to go do so."""
        for _ in range(times):
            for keeper in self.keepers.values():
                await keeper._exchange()
            for peers in self.workers.values():
                peers.go()

    async def heard(self, worker: str, count: int) -> None:
        await eventually(lambda: self.workers[worker].admission.elsewhere.get(PEER, 0) == count)


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
    cluster.workers["a0"].leave(5)
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


async def test_of_a_burst_on_all_nodes_at_once_the_limit_stays_and_no_fewer(cluster: Cluster) -> None:
    await cluster.add_node("c")
    given = sum([cluster.admitted(worker, LIMIT // 2) for worker in cluster.workers])
    assert given == 3 * LIMIT
    await eventually(lambda: sum(peers.go() for peers in cluster.workers.values()) == 0 and cluster.held <= LIMIT)
    assert cluster.held == LIMIT
    await cluster.exchange(times=3)
    assert cluster.held == LIMIT
    assert sum([cluster.admitted(worker, LIMIT) for worker in cluster.workers]) == 0
    for peers in cluster.workers.values():
        assert min(peers.parted) > max(peers.held)  # the newest went


async def test_those_who_take_their_time_to_go_are_not_asked_for_others_in_their_place(cluster: Cluster) -> None:
    assert [cluster.admitted(worker, LIMIT) for worker in ("a0", "b0")] == [LIMIT, LIMIT]
    await eventually(lambda: sum(len(peers.parted) for peers in cluster.workers.values()) == LIMIT)
    for _ in range(3):
        for keeper in cluster.keepers.values():
            await keeper._exchange()
    assert [len(cluster.workers[worker].parted) for worker in ("a0", "b0")] == [LIMIT // 2, LIMIT // 2]
    assert cluster.admitted("a1", 1) == 0


async def test_who_was_there_before_a_burst_stays(cluster: Cluster) -> None:
    assert cluster.admitted("a0", 12) == 12
    await cluster.exchange(times=2)
    assert [cluster.admitted(worker, LIMIT) for worker in ("a0", "b0")] == [8, 8]
    await eventually(lambda: sum(peers.go() for peers in cluster.workers.values()) == 0 and cluster.held <= LIMIT)
    assert cluster.held == LIMIT
    assert cluster.workers["a0"].held.keys() == {*range(12)}


async def test_a_peer_that_left_one_node_for_another_is_not_parted_with(cluster: Cluster) -> None:
    assert cluster.admitted("b0", 5) == 5
    assert cluster.admitted("a0", 12) == 12
    await cluster.exchange(times=2)
    cluster.workers["a0"].leave(12)
    cluster.keepers["b0"]._hear({PEER: 0})  # as before it heard of them
    assert cluster.admitted("b0", 13) == 13
    cluster.keepers["b0"]._hear({PEER: 12})
    await cluster.keepers["b0"]._part_with_surplus()
    await cluster.exchange(times=3)
    assert cluster.held == 18
    assert cluster.workers["b0"].parted == []


async def test_only_what_has_changed_is_told(cluster: Cluster) -> None:
    hosts = [f"198.51.100.{number}" for number in range(50)]
    for host in hosts:
        assert cluster.admitted("a0", 3, host) == 3
    await eventually(lambda: len(cluster.crowds.tellings) == 1)
    assert cluster.crowds.tellings[0] == {f"smtp {host}": 3 for host in hosts}
    assert cluster.admitted("a0", 1, hosts[7]) == 1
    await eventually(lambda: len(cluster.crowds.tellings) == 2)
    assert cluster.crowds.tellings[1] == {f"smtp {hosts[7]}": 4}
    cluster.workers["a0"].leave(3)
    await cluster.exchange()
    assert cluster.crowds.tellings[2] == {f"smtp {hosts[0]}": 0}


async def test_what_nodes_gave_without_the_database_is_evened_out_when_it_is_back(cluster: Cluster) -> None:
    cluster.crowds.is_gone = True
    assert [cluster.admitted(worker, LIMIT) for worker in ("a0", "b0")] == [LIMIT, LIMIT]
    await cluster.exchange(times=3)
    assert cluster.held == 2 * LIMIT
    cluster.crowds.is_gone = False
    await cluster.exchange(times=4)
    assert cluster.held == LIMIT


async def test_ordinary_peers_cost_nothing(cluster: Cluster) -> None:
    for number in range(200):
        for worker in cluster.workers:
            assert cluster.admitted(worker, 1, f"10.0.0.{number}") == 1
    for keeper in cluster.keepers.values():
        await keeper._exchange()
    assert cluster.crowds.tellings == []


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
