"""A whole server's store from one place to another: both are opened, and held shut against servers and applies.

On SQLite the folder's own locks say who is there; on PostgreSQL the database does (store/postgres/transfer.py).
"""

from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager
from dataclasses import dataclass

from mailstack.app.clock import system_clock
from mailstack.app.faults import CannotServe
from mailstack.app.runfiles import leave_storage, running_pid, take_storage
from mailstack.app.store_address import StoreAddress, extra
from mailstack.app.stores import is_made, open_blobs
from mailstack.app.turn import apply_turn
from mailstack.model.errors import Conflict, Invalid, NotFound
from mailstack.store.transfer.copying import Extent, Outcome, copy_store, extent_of
from mailstack.store.transfer.progress import Progress
from mailstack.store.transfer.side import Source, Target

WHO = "mailstack storage copy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """obstacle: why nothing can be copied there, "" where it can."""

    extent: Extent
    obstacle: str


async def look(old: StoreAddress, new: StoreAddress) -> Outlook:
    """What a copy would do; nothing is made or changed. Raises as copy does."""
    _require_apart(old, new)
    for folder in {old.folder, new.folder}:
        if (pid := running_pid(folder)) is not None:
            raise Conflict(f"{folder} is served by process {pid}: end it first")
    async with _source(old) as source:
        return Outlook(extent=await extent_of(source), obstacle=await _obstacle(new))


async def copy(old: StoreAddress, new: StoreAddress, *, progress: Progress) -> Outcome:
    """Raises Invalid, NotFound, Unsupported, Forbidden, Conflict, Damaged, TryAgainLater, OSError."""
    _require_apart(old, new)
    if not is_made(old):
        raise NotFound(f"there is no store in {old}")
    async with AsyncExitStack() as held:
        for folder in sorted({old.folder, new.folder}):
            held.enter_context(_kept_from_servers(StoreAddress(folder=folder)))
            # Of a database's nodes, an apply elsewhere is seen by its connection.
            await held.enter_async_context(apply_turn(StoreAddress(folder=folder), WHO))
        source = await held.enter_async_context(_source(old))
        target = await held.enter_async_context(_target(new))
        return await copy_store(source, target, progress=progress)


def _require_apart(old: StoreAddress, new: StoreAddress) -> None:
    if (old.database, "" if old.database else old.folder) == (new.database, "" if new.database else new.folder):
        raise Invalid(f"both specs keep their mail in {old}: there is nothing to copy")


@contextmanager
def _kept_from_servers(storage: StoreAddress) -> Iterator[None]:
    try:
        lock = take_storage(storage.folder)
    except CannotServe as fault:
        raise Conflict(f"{fault}; end it first") from None
    try:
        yield
    finally:
        leave_storage(storage.folder, lock)


def _source(address: StoreAddress) -> AbstractAsyncContextManager[Source]:
    if not address.database:
        from mailstack.store.sqlite.transfer import source_in

        return source_in(address.folder)
    with extra("postgres"):
        from mailstack.store.postgres.transfer import source_at
    return source_at(address.postgres, blobs=open_blobs(address), clock=system_clock)


def _target(address: StoreAddress) -> AbstractAsyncContextManager[Target]:
    if not address.database:
        from mailstack.store.sqlite.transfer import target_in

        return target_in(address.folder)
    with extra("postgres"):
        from mailstack.store.postgres.transfer import target_at
    return target_at(address.postgres, blobs=open_blobs(address), clock=system_clock)


async def _obstacle(address: StoreAddress) -> str:
    if not address.database:
        from mailstack.store.sqlite.transfer import target_state

        return target_state(address.folder)
    with extra("postgres"):
        from mailstack.store.postgres import transfer
    return await transfer.target_state(address.postgres)
