"""The trainer of one worker: what people say of their mail is learned a moment later, away from what they do.

Woken by what the worker's own store publishes, so that whoever noted a lesson teaches it; a lease keeps two from doing
the same. What a crash left waiting is found at the next start, and now and then.
"""

import asyncio

import structlog

from mailstack.app.build import Adapters
from mailstack.model.errors import DomainError
from mailstack.ports.bus import LESSON_TOPIC
from mailstack.services.spam.training import Training, teach_some
from mailstack.services.spam.turn import LearningTurn

GATHER_S = 2.0
"""Who moves mail to Junk moves several; and may move it back at once, which teaches nothing."""
LOOK_EVERY_S = 600.0
OWNER_BYTES = 8

log = structlog.get_logger()


class Trainer:
    """Begins at once, ends when cancelled by `end`: nothing is half learned then."""

    def __init__(self, adapters: Adapters, training: Training, *, gather_s: float = GATHER_S) -> None:
        self._training = training
        self._gather_s = gather_s
        self._turn = LearningTurn(adapters.store.locks, owner=adapters.token(OWNER_BYTES).hex(), clock=adapters.clock)
        self._wake = asyncio.Event()
        self._wake.set()
        self._end_watch = adapters.store_bus.watch_all(self._hear)
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def end(self) -> None:
        self._end_watch()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def _hear(self, topic: str) -> None:
        if topic == LESSON_TOPIC:
            self._wake.set()

    async def _run(self) -> None:
        while True:
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._wake.wait()
            except TimeoutError:
                pass
            await asyncio.sleep(self._gather_s)
            self._wake.clear()
            try:
                await self._teach()
            except DomainError as fault:
                log.warning("spam lessons wait", fault=repr(fault))
            except Exception:  # a bug met here must not end all training of this worker
                log.exception("spam lessons not taught")

    async def _teach(self) -> None:
        if not await self._training.lessons.open(limit=1):
            return
        more = 1
        while more:
            if not await self._turn.take():
                self._wake.set()  # another is at it, and may have looked before this was noted
                return
            more = await teach_some(self._training, self._turn.lease)
        await self._turn.give_back()
