"""What other nodes did and nobody told: a look every few seconds, for events between nodes may be lost.

One question for all accounts that somebody here watches, one for the queue, one for the generation; whoever missed
something is woken, as the event would have woken them. On one machine alone nobody needs it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import structlog

from mailstack.model.changes import LogHead
from mailstack.model.errors import DomainError
from mailstack.model.ids import AccountId, Generation
from mailstack.model.instant import Clock, Instant
from mailstack.ports.bus import GENERATION_TOPIC, QUEUE_TOPIC, account_of_topic, account_topic
from mailstack.ports.changes import Changes
from mailstack.ports.state import State
from mailstack.store.bus_nodes import NodesBus

log = structlog.get_logger()

LOOK_EVERY_S = 3.0
ACCOUNTS_AT_ONCE = 1_000


class DueQueue(Protocol):
    """Of ports.queue."""

    async def next_due(self) -> Instant | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What is looked at. served: the newest generation that this machine's processes have."""

    changes: Changes
    queue: DueQueue
    state: State
    clock: Clock
    served: Callable[[], Generation]


class CatchingUp:
    """Begins at once, ends when cancelled by `end`."""

    def __init__(self, bus: NodesBus, looked: Looked, *, every_s: float = LOOK_EVERY_S) -> None:
        self._bus = bus
        self._looked = looked
        self._every_s = every_s
        self._heads: dict[AccountId, LogHead] = {}
        self._late = Generation(0)
        self._told = Generation(0)
        self._is_failing = False
        self._applied = asyncio.Event()
        self._end_watch = bus.watch_others(GENERATION_TOPIC, self._applied.set)
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def end(self) -> None:
        self._end_watch()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        look_at = loop.time() + self._every_s
        while True:
            try:
                async with asyncio.timeout_at(look_at):
                    await self._applied.wait()
            except TimeoutError:
                await self._careful(self._look)
                look_at = loop.time() + self._every_s
            else:
                self._applied.clear()
                await self._careful(self._hear_of_generation)

    async def _careful(self, look: Callable[[], Awaitable[None]]) -> None:
        try:
            await look()
            self._is_failing = False
        except (DomainError, OSError) as fault:
            if not self._is_failing:
                log.warning("what other nodes did cannot be looked up", fault=repr(fault))
            self._is_failing = True
        except Exception:  # a bug met here must not leave this worker without news for good
            log.exception("looking for news failed")

    async def _look(self) -> None:
        await self._look_at_accounts()
        await self._look_at_queue()
        await self._look_at_generation()

    async def _look_at_accounts(self) -> None:
        watched = [found for topic in self._bus.topics if (found := account_of_topic(topic)) is not None]
        now: dict[AccountId, LogHead] = {}
        for at in range(0, len(watched), ACCOUNTS_AT_ONCE):
            now.update(await self._looked.changes.heads(watched[at : at + ACCOUNTS_AT_ONCE]))
        for account_id, head in now.items():
            # Also for one that is watched since the last look: its watcher may have read before, and missed the event.
            if self._heads.get(account_id) != head:
                self._bus.wake(account_topic(account_id))
        self._heads = now

    async def _look_at_queue(self) -> None:
        """Its runners sleep until what they know is due."""
        due = await self._looked.queue.next_due()
        if due is not None and due <= self._looked.clock():
            self._bus.wake(QUEUE_TOPIC)

    async def _look_at_generation(self) -> None:
        """What is new at one look is on its way here, as a rule; at the next it is late."""
        newest = await self._newest()
        if newest > self._told and newest == self._late:
            self._tell(newest)
        self._late = newest

    async def _hear_of_generation(self) -> None:
        """Another node has said so."""
        newest = await self._newest()
        if newest > self._told:
            self._tell(newest)

    async def _newest(self) -> Generation:
        """0: this machine has it."""
        newest = await self._looked.state.generation()
        return newest if newest > self._looked.served() else Generation(0)

    def _tell(self, newest: Generation) -> None:
        """Once: a supervisor that cannot serve it tries again by itself."""
        self._told = newest
        self._bus.publish_here(GENERATION_TOPIC)
