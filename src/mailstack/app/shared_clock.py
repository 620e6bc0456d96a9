"""One clock for all nodes: the database's, asked now and then and counted on from in between.

Leases, the queue's schedule, tokens and proofs compare moments that different nodes wrote. A node whose clock is five
minutes ahead would take the queue items that another one is just sending; so none goes by its own. A machine's clock
that is set anew, by hand or by NTP, moves nothing here.
"""

import asyncio
import time
from collections.abc import Callable

import structlog

from mailstack.app.clock import system_clock
from mailstack.app.store_address import StoreAddress
from mailstack.app.stores import open_store
from mailstack.model.errors import DomainError
from mailstack.model.instant import SECOND_MS, Clock, Instant
from mailstack.ports.bus import Bus
from mailstack.ports.store import Store
from mailstack.ports.store_time import StoreTime

log = structlog.get_logger()

ASK_EVERY_S = 60.0
TRIES = 3
"""The answer that came the soonest is the closest."""
TOLERATED_MS = 5 * SECOND_MS


def steady_ms() -> int:
    """Counts on while the machine sleeps, and is never set."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


async def open_store_in_step(address: StoreAddress, *, bus: Bus, read_only: bool = False) -> Store:
    """As open_store; it goes by the clock of all nodes, which is asked once: for work that lasts minutes."""
    clock = SharedClock(system_clock)
    store = await open_store(address, clock=clock, bus=bus, read_only=read_only)
    try:
        if address.database:
            await clock.ask(store)
    except BaseException:  # nobody else knows of the store yet
        await store.close()
        raise
    return store


class SharedClock:
    """Works as model.instant.Clock: the machine's own until `begin` has asked. steady_ms: as the function is."""

    def __init__(self, own: Clock, steady_ms: Callable[[], int] = steady_ms) -> None:
        self._own = own
        self._steady_ms = steady_ms
        self._ahead_ms: int | None = None
        self._task: asyncio.Task[None] | None = None

    def __call__(self) -> Instant:
        if self._ahead_ms is None:
            return self._own()
        return Instant(self._steady_ms() + self._ahead_ms)

    async def begin(self, time: StoreTime, *, every_s: float = ASK_EVERY_S) -> None:
        """Agrees with the store's clock from here on, until `end`. Raises TryAgainLater when nobody answers."""
        await self.ask(time)
        skew_ms = self._own() - self()
        if abs(skew_ms) > TOLERATED_MS:
            log.warning(
                "this machine's clock differs from the database's, which is used; set it by NTP",
                ahead_s=round(skew_ms / SECOND_MS),
            )
        self._task = asyncio.get_running_loop().create_task(self._keep(time, every_s))

    async def end(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def ask(self, time: StoreTime) -> None:
        """Raises TryAgainLater."""
        closest: tuple[int, int] | None = None
        for _ in range(TRIES):
            before = self._steady_ms()
            theirs = await time.now()
            after = self._steady_ms()
            found = after - before, theirs - (before + after) // 2
            closest = found if closest is None else min(closest, found)
        if closest is not None:
            self._ahead_ms = closest[1]

    async def _keep(self, time: StoreTime, every_s: float) -> None:
        while True:
            await asyncio.sleep(every_s)
            try:
                await self._follow(time)
            except DomainError:
                continue  # what is known goes on being right for hours
            except Exception:  # a bug met here must not leave this node to its own clock for good
                log.exception("the database's clock could not be asked")

    async def _follow(self, time: StoreTime) -> None:
        before = self()
        await self.ask(time)
        moved_ms = self() - before
        if abs(moved_ms) > TOLERATED_MS:
            log.warning("the database's clock was set anew", by_s=round(moved_ms / SECOND_MS))
