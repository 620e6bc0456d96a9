"""The shared spam model of one machine: a file that all its workers map, so that it lies in memory once.

The file is never changed, but replaced by whichever worker first sees that more was learned; the others map the new
one. It is made of what the database has, whenever it is not there, is damaged, or was written before the machine last
started: then nobody knows how much of it had reached the disk.
"""

import asyncio
import contextlib
import fcntl
import mmap
import os
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import structlog

from mailstack.model.errors import Damaged, TryAgainLater
from mailstack.model.spam_lesson import SharedNews
from mailstack.ports.spam_tables import SpamTables
from mailstack.services.spam.shared import grown
from mailstack.spam.model import SHARED_BITS, Model, empty_head, table_octets

FOLDER = "spam"
FILE = "shared.model"
LOCK = "lock"
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
LOCK_TRIES = 200
LOCK_RETRY_S = 0.05

# Magic, the boot that it was written in, the number of the last update in it; the table follows.
_HEAD = struct.Struct("=8s40sq8x")
_MAGIC = b"MSshare1"

log = structlog.get_logger()


class SharedModelFile:
    """folder: the storage's."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER
        self._boot = _boot()
        self._number = 0
        self._model = _of_nothing()

    @property
    def model(self) -> Model:
        return self._model

    @property
    def number(self) -> int:
        return self._number

    async def catch_up(self, tables: SpamTables) -> None:
        """Raises DomainError or OSError; what is mapped stays."""
        last = await tables.shared_number()
        if last == self._number:
            return
        await asyncio.to_thread(self._folder.mkdir, mode=0o700, exist_ok=True)
        async with self._locked():
            found = await asyncio.to_thread(self._mapped)
            # The database may be a copy from before: then the file knows too much.
            known, number = found if found is not None and found[1] <= last else (None, 0)
            news = await tables.shared_after(number)
            if news.number != number:
                known, number = await asyncio.to_thread(self._replaced, known, news), news.number
            self._model, self._number = known or _of_nothing(), number

    @contextlib.asynccontextmanager
    async def _locked(self) -> AsyncIterator[None]:
        """Against other processes of this machine."""
        lock = os.open(self._folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            for _ in range(LOCK_TRIES):
                with contextlib.suppress(BlockingIOError):
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                await asyncio.sleep(LOCK_RETRY_S)
            else:
                raise TryAgainLater(f"{self._folder / LOCK} is held by another process")
            yield
        finally:
            os.close(lock)

    def _mapped(self) -> tuple[Model, int] | None:
        """None: there is none to go on from."""
        try:
            with (self._folder / FILE).open("rb") as file:
                mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            magic, boot, number = _HEAD.unpack_from(mapped)
            if magic != _MAGIC or not self._boot or boot.rstrip(b"\0") != self._boot:
                return None
            return Model(memoryview(mapped)[_HEAD.size :]), number
        except FileNotFoundError:
            return None
        except (OSError, ValueError, struct.error, Damaged) as fault:
            log.warning("the shared spam model is made anew", fault=repr(fault))
            return None

    def _replaced(self, known: Model | None, news: SharedNews) -> Model:
        before = None if known is None else known.octets
        model = grown(before if news.base is None else news.base, news.updates)
        partial = self._folder / f"{FILE}.partial"
        partial.unlink(missing_ok=True)
        made = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(made, "wb") as file:
            file.write(_HEAD.pack(_MAGIC, self._boot, news.number))
            file.write(model.octets)
        partial.rename(self._folder / FILE)
        found = self._mapped()
        return model if found is None else found[0]


def _boot() -> bytes:
    """b"" where the system does not say: then each worker makes the model for itself."""
    try:
        return BOOT_ID.read_bytes().strip()
    except OSError:
        return b""


def _of_nothing() -> Model:
    """Pages that nobody wrote to are one in memory, whoever reads them."""
    octets = mmap.mmap(-1, table_octets(SHARED_BITS), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    octets.write(empty_head(SHARED_BITS))
    return Model(octets)
