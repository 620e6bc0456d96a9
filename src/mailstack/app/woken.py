"""Work of one worker that is done again whenever somebody says so, and now and then: a wake-up may be lost."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from mailstack.model.errors import DomainError
from mailstack.ports.bus import Bus

log = structlog.get_logger()


class Woken:
    """Begins at once, ends when cancelled by `end`. every_s: between two looks at the most. failing: what the log says
    while it cannot be done."""

    def __init__(
        self, work: Callable[[], Awaitable[None]], *, bus: Bus, topic: str, every_s: float, failing: str
    ) -> None:
        self._work = work
        self._every_s = every_s
        self._failing = failing
        self._wake = asyncio.Event()
        self._end_watch = bus.watch(topic, self._wake.set)
        self._task = asyncio.get_running_loop().create_task(self._run())

    def wake(self) -> None:
        self._wake.set()

    async def end(self) -> None:
        self._end_watch()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self._work()
            except (DomainError, OSError) as fault:
                log.warning(self._failing, fault=repr(fault))
            except Exception:  # a bug met here must not leave this worker without the work for good
                log.exception(self._failing)
            try:
                async with asyncio.timeout(self._every_s):
                    await self._wake.wait()
            except TimeoutError:
                continue
