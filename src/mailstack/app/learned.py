"""What a worker knows of what was learned of spam: kept up to date, whichever process learned it, for as long as the
worker lives."""

import asyncio
from pathlib import Path

import structlog

from mailstack.app.shared_model import SharedModelFile
from mailstack.model.errors import DomainError
from mailstack.ports.bus import SPAM_TOPIC, Bus
from mailstack.ports.spam_tables import SpamTables
from mailstack.services.spam.models import LearnedModels

LOOK_EVERY_S = 60.0
GATHER_S = 0.2

log = structlog.get_logger()


class Learned:
    """Begins at once, ends when cancelled by `end`. models: for scoring. folder: the storage's."""

    def __init__(self, tables: SpamTables, bus: Bus, folder: Path) -> None:
        self._tables = tables
        self._file = SharedModelFile(folder)
        self.models = LearnedModels(tables, lambda: self._file.model)
        self._is_failing = False
        self._wake = asyncio.Event()
        self._wake.set()
        self._end_watch = bus.watch(SPAM_TOPIC, self._wake.set)
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def end(self) -> None:
        self._end_watch()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def catch_up(self) -> None:
        """Raises DomainError or OSError."""
        await self.models.catch_up()
        await self._file.catch_up(self._tables)

    async def _run(self) -> None:
        while True:
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._wake.wait()
                await asyncio.sleep(GATHER_S)
            except TimeoutError:
                pass  # a wake-up may have been lost
            self._wake.clear()
            await self._look()

    async def _look(self) -> None:
        try:
            await self.catch_up()
            self._is_failing = False
        except (DomainError, OSError) as fault:
            if not self._is_failing:
                log.warning("what was learned of spam is not looked up", fault=repr(fault))
            self._is_failing = True
        except Exception:  # a bug met here must not leave this worker behind for good
            log.exception("what was learned of spam is not looked up")
