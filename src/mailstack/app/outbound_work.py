"""The queue runner of one worker, kept running."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import structlog

from mailstack.app.build import Adapters
from mailstack.app.slowed import SlowedTeller
from mailstack.net.shared_meters import SharedMeters
from mailstack.services.outbound.queue import QueueLimits, QueueRunner
from mailstack.services.outbound.service import OutboundService

log = structlog.get_logger()

RESTART_S = 5.0
# Renewed while an attempt lasts; what a killed worker had in hand is taken up again after this.
LEASE_S = 20.0
OWNER_BYTES = 8


class OutboundWork:
    """Begins at once. generation: what each attempt works with. storage: where it is told what is slow; place: of the
    worker."""

    def __init__(
        self,
        adapters: Adapters,
        generation: Callable[[], OutboundService],
        meters: SharedMeters,
        *,
        storage: Path,
        place: int,
    ) -> None:
        self._runner = QueueRunner(
            queue=adapters.store.queue,
            bus=adapters.bus,
            clock=adapters.clock,
            owner=f"{os.getpid()}-{adapters.token(OWNER_BYTES).hex()}",
            generation=generation,
            meters=meters,
            limits=QueueLimits(lease_s=LEASE_S),
        )
        self._teller = SlowedTeller(self._runner.slowed, storage=storage, place=place)
        self._task = asyncio.get_running_loop().create_task(self._keep_running())

    def follow(self) -> None:
        """Another generation serves."""
        self._runner.look()

    async def end(self, *, grace_s: float) -> None:
        """No new attempts; those under way may take as long."""
        cut = await self._runner.drain(grace_s=grace_s)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._teller.end()
        if cut:
            log.info("attempts cut short", attempts=cut)

    async def _keep_running(self) -> None:
        """A fault that nobody foresaw, in one mail of the queue, must not stop all others for good."""
        while True:
            try:
                await self._runner.run()
            except Exception:
                log.exception("the queue runner failed", again_in_s=RESTART_S)
                await asyncio.sleep(RESTART_S)
            else:
                return
