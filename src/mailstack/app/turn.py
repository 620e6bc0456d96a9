"""Whose turn it is to apply to a storage: one process at a time, and the others know whom they wait for.

The state's generation refuses what was planned against another state; this keeps two applies from writing the same DNS
zones at once. Certificates are ordered outside of it, for minutes; only what an order writes takes a turn. The lock is
the process's own and ends with it, however it ends; so a process takes it once at a time.
"""

import asyncio
import fcntl
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import IO

from mailstack.app.clock import system_clock
from mailstack.app.runfiles import run_folder
from mailstack.app.store_address import StoreAddress
from mailstack.model.errors import TryAgainLater
from mailstack.model.instant import iso

WAIT_S = 60.0
LOOK_EVERY_S = 0.1


@asynccontextmanager
async def apply_turn(
    storage: StoreAddress, who: str, *, on_wait: Callable[[str], None] | None = None, wait_s: float = WAIT_S
) -> AsyncIterator[None]:
    """who: for the others. on_wait: told once whom we wait for. Raises TryAgainLater with that name, OSError."""
    run_folder(storage.folder).mkdir(parents=True, exist_ok=True, mode=0o750)
    with (run_folder(storage.folder) / "apply.lock").open("a+") as file:
        await _lock(file, on_wait, time.monotonic() + wait_s)
        _write(file, f"process {os.getpid()} ({who}), since {iso(system_clock())}")
        try:
            yield
        finally:
            _write(file, "")


async def _lock(file: IO[str], on_wait: Callable[[str], None] | None, deadline: float) -> None:
    while True:
        try:
            # A record lock: what a killed process held is free at once, whatever its children have inherited.
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _read(file)
        else:
            return
        if time.monotonic() >= deadline:
            raise TryAgainLater(f"another apply is at work: {holder}; nothing was changed, try again once it is done")
        if on_wait is not None:
            on_wait(holder)
            on_wait = None
        await asyncio.sleep(LOOK_EVERY_S)


def _read(file: IO[str]) -> str:
    file.seek(0)
    return file.read().strip() or "a process that has just begun"


def _write(file: IO[str], text: str) -> None:
    file.seek(0)
    file.truncate()
    file.write(text)
    file.flush()
