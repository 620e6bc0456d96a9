"""What a machine says of itself: its disk, its processes, and which of several nodes does upkeep."""

import os
from dataclasses import replace
from pathlib import Path

from mailstack.app.machine import machine_of
from mailstack.app.runfiles import run_folder, status_file, write_json
from mailstack.app.silence import Silence
from mailstack.app.store_address import StoreAddress
from mailstack.app.stores import node_at
from mailstack.app.upkeep_turn import take_upkeep
from mailstack.model.instant import Instant
from mailstack.servers.admin.machine import WorkerProcess
from tests.support.engines import open_store
from tests.support.fake_clock import FakeClock

NOW = Instant(1_790_000_000_000)
NO_PROCESS = 1 << 30


async def test_disk_and_workers(tmp_path: Path) -> None:
    store = await open_store(tmp_path, clock=FakeClock(), bus=Silence())
    run_folder(tmp_path).mkdir(exist_ok=True)
    write_json(status_file(tmp_path), {"workers": [os.getpid(), NO_PROCESS]})
    found = await machine_of(StoreAddress(folder=tmp_path), store.locks, now=NOW)
    own, gone = found.workers
    assert (own.pid, gone) == (os.getpid(), WorkerProcess(pid=NO_PROCESS, memory_bytes=None))
    assert own.memory_bytes is not None
    assert own.memory_bytes > 1 << 20
    assert 0 < found.free_bytes <= found.size_bytes
    assert found.upkeep == ""
    await store.close()


async def test_of_several_nodes_one_does_upkeep(tmp_path: Path) -> None:
    store = await open_store(tmp_path, clock=FakeClock(), bus=Silence())
    run_folder(tmp_path).mkdir(exist_ok=True)
    storage = StoreAddress(folder=tmp_path, database="postgresql://nowhere/x")

    async def upkeep() -> str:
        return (await machine_of(storage, store.locks, now=NOW)).upkeep

    assert await upkeep() == "no node now"
    await take_upkeep(store.locks, "other", now=NOW)
    assert await upkeep() == "another node"
    await store.locks.release("upkeep", "other")
    await take_upkeep(store.locks, node_at(storage), now=NOW)
    assert await upkeep() == "this node"
    await store.close()


async def test_little_room_is_of_the_disk_or_of_what_mail_needs(tmp_path: Path) -> None:
    store = await open_store(tmp_path, clock=FakeClock(), bus=Silence())
    found = await machine_of(StoreAddress(folder=tmp_path), store.locks, now=NOW)
    for free, size, is_little in ((2, 100, True), (6, 100, False), (6, 1_000, True)):
        assert replace(found, free_bytes=free << 30, size_bytes=size << 30).has_little_room is is_little
    assert replace(found, free_bytes=1 << 29, size_bytes=2 << 30).has_little_room
    await store.close()
