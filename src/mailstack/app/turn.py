"""Whose turn it is to apply to a storage: one process at a time, and the others know whom they wait for.

On this machine a file's lock says so, which ends with its process, however it ends; where nodes share a database, a
lease there says it too, which is renewed while it is held and ends by itself when its node dies. The state's generation
refuses what was planned against another state; this keeps two applies from writing the same DNS zones at once.
Certificates are ordered outside of it, for minutes; only what an order writes takes a turn. A process takes it once at
a time.
"""

import asyncio
import fcntl
import os
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import IO

import structlog

from mailstack.app.clock import system_clock
from mailstack.app.runfiles import run_folder
from mailstack.app.silence import Silence
from mailstack.app.store_address import StoreAddress
from mailstack.app.stores import open_store
from mailstack.model.errors import DomainError, TryAgainLater
from mailstack.model.instant import SECOND_MS, Instant, iso
from mailstack.ports.store import Store

WAIT_S = 60.0
LOOK_EVERY_S = 0.1
TURN = "apply"
LEASE_MS = 30 * SECOND_MS
"""So long the others wait for a node that died while it applied."""
LeaveTurn = Callable[[], Awaitable[None]]
"""Before its block ends: lets others apply while certificates are ordered."""

log = structlog.get_logger()


@asynccontextmanager
async def apply_turn(
    storage: StoreAddress, who: str, *, on_wait: Callable[[str], None] | None = None, wait_s: float = WAIT_S
) -> AsyncIterator[None]:
    """who: for the others. on_wait: told once whom we wait for. Raises TryAgainLater with that name, OSError."""
    run_folder(storage.folder).mkdir(parents=True, exist_ok=True, mode=0o750)
    with (run_folder(storage.folder) / "apply.lock").open("a+") as file:
        deadline = time.monotonic() + wait_s
        await _lock(file, on_wait, deadline)
        holder = f"process {os.getpid()} ({who}), since {iso(system_clock())}"
        _write(file, holder)
        try:
            async with _among_nodes(storage, holder, on_wait, deadline):
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
            raise _taken(holder)
        if on_wait is not None:
            on_wait(holder)
            on_wait = None
        await asyncio.sleep(LOOK_EVERY_S)


@asynccontextmanager
async def _among_nodes(
    storage: StoreAddress, holder: str, on_wait: Callable[[str], None] | None, deadline: float
) -> AsyncIterator[None]:
    if not storage.database:
        yield
        return
    store = await open_store(storage, clock=system_clock, bus=Silence())
    owner = f"{holder}, on {socket.gethostname()}"
    try:
        await _lease(store, owner, on_wait, deadline)
        keeping = asyncio.get_running_loop().create_task(_keep(store, owner))
        try:
            yield
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            with suppress(DomainError):  # then it ends by itself
                await store.locks.release(TURN, owner)
    finally:
        await store.close()


async def _lease(store: Store, owner: str, on_wait: Callable[[str], None] | None, deadline: float) -> None:
    while not await _acquired(store, owner):
        holder = await store.locks.holder(TURN, now=await store.now())
        if time.monotonic() >= deadline:
            raise _taken(holder)
        if on_wait is not None and holder:
            on_wait(holder)
            on_wait = None
        await asyncio.sleep(LOOK_EVERY_S)


async def _acquired(store: Store, owner: str) -> bool:
    now = await store.now()
    return await store.locks.acquire(TURN, owner, now=now, until=Instant(now + LEASE_MS))


async def _keep(store: Store, owner: str) -> None:
    while True:
        await asyncio.sleep(LEASE_MS / SECOND_MS / 3)
        try:
            if not await _acquired(store, owner):
                log.warning("the turn to apply has passed to another node meanwhile", owner=owner)
        except DomainError as fault:
            log.warning("the turn to apply could not be renewed yet", reason=str(fault))


def _taken(holder: str) -> TryAgainLater:
    return TryAgainLater(f"another apply is at work: {holder}; nothing was changed, try again once it is done")


def _read(file: IO[str]) -> str:
    file.seek(0)
    return file.read().strip() or "a process that has just begun"


def _write(file: IO[str], text: str) -> None:
    file.seek(0)
    file.truncate()
    file.write(text)
    file.flush()
