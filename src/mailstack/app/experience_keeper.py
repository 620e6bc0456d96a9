"""Writes what one worker has learned of senders, every few seconds and at its end."""

import asyncio

import structlog

from mailstack.model.errors import DomainError
from mailstack.services.spam.experience import Experience

log = structlog.get_logger()

FLUSH_EVERY_S = 3.0


class ExperienceKeeper:
    """Begins at once. `end` lets what is being written be written: broken off, nobody knew whether it counts."""

    def __init__(self, experience: Experience, *, every_s: float = FLUSH_EVERY_S) -> None:
        self._experience = experience
        self._every_s = every_s
        self._is_failing = False
        self._ends = asyncio.Event()
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def end(self) -> None:
        """Once nothing is told any more."""
        self._ends.set()
        await self._task

    async def _run(self) -> None:
        is_last = False
        while not is_last:
            try:
                async with asyncio.timeout(self._every_s):
                    is_last = await self._ends.wait()
            except TimeoutError:
                pass
            await self._flush()

    async def _flush(self) -> None:
        try:
            await self._experience.flush()
            self._is_failing = False
        except (DomainError, OSError) as fault:
            if not self._is_failing:
                log.warning("what is learned of senders is not kept", fault=repr(fault))
            self._is_failing = True
        except Exception:  # a bug met here must not end what is kept for good
            log.exception("what is learned of senders is not kept")
