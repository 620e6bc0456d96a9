"""A machine's bus and the one between nodes, side by side. What every bus does is tests/contract/test_bus.py's."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from mailstack.store.bus_local import LocalBus
from mailstack.store.bus_nats import NatsServers, nats_bus
from mailstack.store.bus_nodes import NodesBus, node_of
from tests.support.nats import NatsServer, running_nats
from tests.support.wakes import Wakes, reach


@pytest.fixture
def server(tmp_path: Path) -> Iterator[NatsServer]:
    with running_nats(tmp_path) as running:
        yield running


def process_on(machine: Path, server: NatsServer) -> NodesBus:
    machine.mkdir(exist_ok=True)
    servers = NatsServers(urls=(server.url,), prefix="mailstack.test")
    return NodesBus(LocalBus(machine), nats_bus(servers, node=node_of(machine)))


@asynccontextmanager
async def started(*buses: NodesBus) -> AsyncIterator[None]:
    for bus in buses:
        await bus.start()
    yield
    for bus in buses:
        await bus.close()


async def test_one_event_wakes_once_on_the_machine_and_on_others(server: NatsServer, tmp_path: Path) -> None:
    one, same = process_on(tmp_path / "a", server), process_on(tmp_path / "a", server)
    other = process_on(tmp_path / "b", server)
    async with started(one, same, other):
        here, there, far, last = Wakes(), Wakes(), Wakes(), Wakes()
        other.watch("last", last)
        await reach(one, "last", last)
        one.watch("queue", here)
        same.watch("queue", there)
        other.watch("queue", far)
        await reach(one, "queue", far)
        last.count = 0
        await reach(one, "last", last)
        published = here.count // 2  # by the machine's bus and by the other, in one turn of the loop
        assert there.count == published


async def test_a_machine_hears_itself_while_nats_is_gone(server: NatsServer, tmp_path: Path) -> None:
    one, same = process_on(tmp_path / "a", server), process_on(tmp_path / "a", server)
    async with started(one, same):
        server.kill()
        woken = Wakes()
        same.watch("queue", woken)
        one.publish("queue")
        await woken.wait()


async def test_a_watch_ends_on_both(server: NatsServer, tmp_path: Path) -> None:
    one, same, other = (process_on(tmp_path / name, server) for name in ("a", "a", "b"))
    async with started(one, same, other):
        ended, going = Wakes(), Wakes()
        end = same.watch("queue", ended)
        same.watch("queue", going)
        end()
        await reach(one, "queue", going)
        going.count = 0
        await reach(other, "queue", going)
        assert ended.count == 0


async def test_what_is_published_here_does_not_leave_the_machine(server: NatsServer, tmp_path: Path) -> None:
    one, same, other = (process_on(tmp_path / name, server) for name in ("a", "a", "b"))
    async with started(one, same, other):
        near, far, last = Wakes(), Wakes(), Wakes()
        same.watch("generation", near)
        other.watch("generation", far)
        other.watch("last", last)
        await reach(one, "last", last)
        one.publish_here("generation")
        await near.wait()
        last.count = 0
        await reach(one, "last", last)
        assert far.count == 0


def test_processes_that_share_a_folder_are_one_node(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "a")
    assert node_of(tmp_path / "a") == node_of(tmp_path / "link")
    assert node_of(tmp_path / "a") != node_of(tmp_path / "b")
