"""What this machine says of itself on the admin pages: its disk, its processes, and what they run on."""

import asyncio
import os
import platform
import shutil
import socket
from collections.abc import Sequence
from pathlib import Path

from mailstack.app.runfiles import written_status
from mailstack.app.store_address import StoreAddress
from mailstack.app.stores import node_at
from mailstack.app.upkeep_turn import LEASE
from mailstack.model.instant import Instant
from mailstack.ports.locks import Locks
from mailstack.servers.admin.machine import Machine, WorkerProcess

PROCESSES = Path("/proc")


async def machine_of(storage: StoreAddress, locks: Locks, *, now: Instant) -> Machine:
    """Looks in a thread, for a disk that is far away may take its time. Raises OSError, TryAgainLater."""
    upkeep = await _upkeep(storage, locks, now) if storage.database else ""
    return await asyncio.to_thread(_looked_at, storage, upkeep)


async def _upkeep(storage: StoreAddress, locks: Locks, now: Instant) -> str:
    holder = await locks.holder(LEASE, now=now)
    if not holder:
        return "no node now"
    return "this node" if holder == node_at(storage) else "another node"


def _looked_at(storage: StoreAddress, upkeep: str) -> Machine:
    disk = shutil.disk_usage(storage.folder)
    pids: Sequence[int] = (written_status(storage.folder) or {}).get("workers", ())
    return Machine(
        name=socket.gethostname(),
        upkeep=upkeep,
        versions=(f"Python {platform.python_version()}", f"{platform.system()} {platform.release()}"),
        free_bytes=disk.free,
        size_bytes=disk.total,
        workers=tuple(WorkerProcess(pid=pid, memory_bytes=_memory_of(pid)) for pid in pids),
    )


def _memory_of(pid: int) -> int | None:
    """What it has in memory, with what it shares with others."""
    try:
        pages = (PROCESSES / str(pid) / "statm").read_text().split()[1]
    except (OSError, IndexError):
        return None
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
