"""A value that takes asking for: read by one at a time and every few seconds at most, however many want it, and waited
for so long and no longer."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import structlog

from mailstack.model.errors import DomainError

Value = TypeVar("Value")

FRESH_S = 5.0
PATIENCE_S = 2.0
"""Less than any scraper's."""

log = structlog.get_logger()


class Kept(Generic[Value]):
    """name: of the source, for the log. read: raises DomainError or OSError where it cannot be read now."""

    def __init__(self, name: str, read: Callable[[], Awaitable[Value]], *, patience_s: float = PATIENCE_S) -> None:
        self.name = name
        self._read = read
        self._patience_s = patience_s
        self._reading: asyncio.Task[Value | None] | None = None
        self._read_at = 0.0

    async def get(self) -> Value | None:
        """None: it could not be read in time. One that hangs is not asked anew before it has answered."""
        loop = asyncio.get_running_loop()
        if self._reading is None or (self._reading.done() and loop.time() > self._read_at + FRESH_S):
            self._reading = loop.create_task(self._look())
        try:
            async with asyncio.timeout(self._patience_s):
                return await asyncio.shield(self._reading)
        except TimeoutError:
            return None

    async def _look(self) -> Value | None:
        try:
            return await self._read()
        except (DomainError, OSError) as fault:
            log.warning("figures not read", source=self.name, fault=repr(fault))
            return None
        except Exception:  # a bug met here must not hide all other figures
            log.exception("figures not read", source=self.name)
            return None
        finally:
            self._read_at = asyncio.get_running_loop().time()
