"""Wake-ups by Unix sockets: what is this bus's own. What every bus does is tests/contract/test_bus.py's."""

import asyncio
import socket
import statistics
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mailstack.store.bus_local import LocalBus
from tests.support.running import until
from tests.support.wakes import Wakes

ROOT = Path(__file__).parents[2]
START_S = 120
WAKE_S = 0.03
"""What BUDGETS.md allows for an IDLE notification that comes from another worker."""


@pytest.fixture
async def buses(tmp_path: Path) -> AsyncIterator[tuple[LocalBus, LocalBus]]:
    pair = LocalBus(tmp_path / "bus"), LocalBus(tmp_path / "bus")
    for bus in pair:
        await bus.start()
    yield pair
    for bus in pair:
        await bus.close()


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


async def test_another_process_is_woken_within_milliseconds(buses: tuple[LocalBus, LocalBus], tmp_path: Path) -> None:
    worker = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.echo_worker",
        "local",
        str(tmp_path / "bus"),
        cwd=ROOT,
        stdin=PIPE,
        stdout=PIPE,
    )
    assert worker.stdout is not None
    async with asyncio.timeout(START_S):
        assert await worker.stdout.readline() == b"ready\n"
    answered = Wakes()
    buses[0].watch("pong", answered)

    async def median_s() -> float:
        """There and back."""
        taken = []
        for _ in range(20):
            asked = time.perf_counter()
            buses[0].publish("ping")
            await answered.wait()
            taken.append(time.perf_counter() - asked)
        return statistics.median(taken)

    async def is_quick() -> bool:
        return await median_s() < 2 * WAKE_S

    await until(is_quick)  # as soon as the machine has a quiet moment
    await worker.communicate(b"")
