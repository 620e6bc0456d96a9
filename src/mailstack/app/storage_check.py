"""Whether the storage that a spec names can be used from this machine: every part of it is asked for all that a server
will ask, and left as it was."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from mailstack.app.clock import system_clock
from mailstack.app.store_address import StoreAddress, extra
from mailstack.app.stores import bucket_at, far_bus
from mailstack.model.errors import DomainError, Forbidden, TryAgainLater
from mailstack.store.probing import Finding, asked

if TYPE_CHECKING:
    from mailstack.store.bus_far import FarBus

HEARD_S = 10.0
Found = tuple[str, Finding]
"""The part that it is about, and what was found."""


async def check_storage(address: StoreAddress) -> AsyncIterator[Found]:
    remedy = f"make {address.folder}, writable for whom the server runs as"
    yield "folder", await asked("write files", partial(asyncio.to_thread, _write_in, address.folder), remedy)
    if not address.database:
        return
    answers = False
    for part, probe in (("database", _database), ("bucket", _bucket), ("events", _events)):
        if part == "events" and address.nats is None and not answers:
            return  # they would go by the database
        try:
            async for finding in probe(address):
                answers = answers or (part == "database" and not finding.fault)
                yield part, finding
        except DomainError as fault:  # a missing extra, an address that is none; it says what to do
            yield part, Finding(what="open it", took_s=0.0, fault=fault.detail)


async def _database(address: StoreAddress) -> AsyncIterator[Finding]:
    postgres = address.postgres
    with extra("postgres"):
        from mailstack.store.postgres.probe import probed
    async for finding in probed(postgres, clock=system_clock):
        yield finding


async def _bucket(address: StoreAddress) -> AsyncIterator[Finding]:
    if address.bucket is None:
        return
    bucket = bucket_at(address.bucket)
    from mailstack.store.s3.probe import probed

    async for finding in probed(bucket):
        yield finding


async def _events(address: StoreAddress) -> AsyncIterator[Finding]:
    """As two nodes would."""
    speaker, hearer = (far_bus(address, secrets.token_hex(8)) for _ in range(2))
    what = "look at storage.events"
    if address.nats is None:
        what = "LISTEN needs a connection of its own: no pooler in transaction mode, or NATS (storage.events)"
    remedy = f"{what}; without events nodes hear of each other some seconds later, and all else goes on"
    yield await asked("tell another node", partial(_tell, speaker, hearer), remedy, is_needed=False)


async def _tell(speaker: "FarBus", hearer: "FarBus") -> None:
    topic, heard = f"check/{secrets.token_hex(8)}", asyncio.Event()
    end_watch = hearer.watch(topic, heard.set)
    try:
        await hearer.start()
        await speaker.start()
        async with asyncio.timeout(HEARD_S):
            while not heard.is_set():
                if fault := hearer.fault or speaker.fault:
                    raise TryAgainLater(fault)
                speaker.publish(topic)  # again and again: it may be said before it is listened to
                await _soon(heard)
    except TimeoutError:
        raise TryAgainLater(f"nothing was heard within {HEARD_S:.0f} s") from None
    finally:
        end_watch()
        await speaker.close()
        await hearer.close()


async def _soon(heard: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(0.2):
            await heard.wait()
    except TimeoutError:
        return


def _write_in(folder: Path) -> None:
    """Of a folder that is not there yet: in the one that it will be made in."""
    there = next(one for one in _upwards(folder) if one.exists())
    try:
        with TemporaryFile(dir=there) as file:
            file.write(b"mailstack")
            file.flush()
    except OSError as fault:
        raise Forbidden(f"{there} cannot be written: {fault.strerror}") from fault


def _upwards(folder: Path) -> Iterator[Path]:
    yield folder
    yield from folder.parents
