"""One apply at a time, and who it is."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mailstack.app.store_address import StoreAddress
from mailstack.app.turn import apply_turn
from mailstack.model.errors import TryAgainLater

HOLDER = """
import asyncio, sys
from pathlib import Path
from mailstack.app.store_address import StoreAddress
from mailstack.app.turn import apply_turn
async def hold():
    async with apply_turn(StoreAddress(folder=Path(sys.argv[1])), "the other one"):
        print("mine", flush=True)
        sys.stdin.readline()
asyncio.run(hold())
"""


@contextmanager
def held_by_another(storage: Path) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-c", HOLDER, str(storage)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "mine\n"
        try:
            yield process
        finally:
            process.kill()


async def test_a_turn_can_be_taken_again_and_again(tmp_path: Path) -> None:
    for _ in range(2):
        async with apply_turn(StoreAddress(folder=tmp_path), "me"):
            assert "(me), since 20" in (tmp_path / "run" / "apply.lock").read_text()


async def test_whoever_comes_second_is_told_by_whom_it_is_refused(tmp_path: Path) -> None:
    with held_by_another(tmp_path) as process:
        told = rf"another apply is at work: process {process.pid} \(the other one\), since 20.*nothing was changed"
        with pytest.raises(TryAgainLater, match=told):
            async with apply_turn(StoreAddress(folder=tmp_path), "me", wait_s=0):
                pytest.fail("two at once")


async def test_whoever_waits_is_told_for_whom_and_gets_the_turn(tmp_path: Path) -> None:
    with held_by_another(tmp_path) as process:
        heard: list[str] = []

        def end_it(holder: str) -> None:
            heard.append(holder)
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()

        async with apply_turn(StoreAddress(folder=tmp_path), "me", on_wait=end_it):
            assert [holder.partition(",")[0] for holder in heard] == [f"process {process.pid} (the other one)"]


async def test_a_process_that_is_killed_blocks_nobody(tmp_path: Path) -> None:
    with held_by_another(tmp_path) as process:
        process.kill()
        process.wait()
        async with apply_turn(StoreAddress(folder=tmp_path), "me"):
            pass


async def test_nodes_with_folders_of_their_own_take_turns_by_their_database(
    tmp_path: Path, empty_database: str
) -> None:
    nodes = [StoreAddress(folder=tmp_path / name, database=empty_database) for name in ("one", "two")]
    heard: list[str] = []
    async with apply_turn(nodes[0], "the first"):
        with pytest.raises(TryAgainLater, match=r"process \d+ \(the first\), since 20.*, on .*nothing was changed"):
            async with apply_turn(nodes[1], "the second", on_wait=heard.append, wait_s=0):
                pytest.fail("two at once")
    async with apply_turn(nodes[1], "the second", on_wait=heard.append):
        assert heard == []


async def test_a_node_that_waits_is_told_for_whom_and_gets_the_turn(tmp_path: Path, empty_database: str) -> None:
    one, two = (StoreAddress(folder=tmp_path / name, database=empty_database) for name in ("one", "two"))
    is_waited_for = asyncio.Event()
    heard: list[str] = []

    def waits(holder: str) -> None:
        heard.append(holder)
        is_waited_for.set()

    async def second() -> None:
        async with apply_turn(two, "the second", on_wait=waits):
            heard.append("mine")

    async with apply_turn(one, "the first"):
        waiting = asyncio.create_task(second())
        await is_waited_for.wait()
    await waiting
    assert ["(the first)" in heard[0], *heard[1:]] == [True, "mine"]
