"""A queue and a transport that end their process at one step of an attempt, as a power cut would."""

import os
import signal
from collections.abc import Collection, Sequence
from enum import StrEnum

from mailstack.model.delivery import Envelope, NextHop, Outcome, Settlement
from mailstack.model.ids import QueueItemId
from mailstack.ports.queue import Queue
from mailstack.ports.transport import Transport
from mailstack.store.sql.database import Result, Transaction, Work
from mailstack.store.sql.queue import SqlQueue


class Step(StrEnum):
    NEVER = "never"
    CONNECTING = "connecting"  # leased and read, and no word spoken
    ANSWERED = "answered"  # the server has said what it took, nothing is written down
    COMMITTING = "committing"  # all of a settlement is written, and not committed
    SETTLED = "settled"  # committed, and nobody was told
    SECOND = "second"  # one settlement is done, and the next is about to be


class DoomedTransport:
    """Works as ports.transport.Transport."""

    def __init__(self, transport: Transport, step: Step) -> None:
        self._transport = transport
        self._step = step

    async def deliver(self, hop: NextHop, envelope: Envelope, content: bytes) -> Sequence[Outcome]:
        die_at(Step.CONNECTING, self._step)
        outcomes = await self._transport.deliver(hop, envelope, content)
        die_at(Step.ANSWERED, self._step)
        return outcomes

    async def close(self) -> None:
        await self._transport.close()


def doom(queue: Queue, step: Step) -> None:
    """The settlements of a queue in SQL."""
    assert isinstance(queue, SqlQueue)
    settle, write, settled = queue.settle, queue._system.write, 0

    async def doomed_settle(owner: str, settlements: Sequence[Settlement]) -> Collection[QueueItemId]:
        nonlocal settled
        if settled:
            die_at(Step.SECOND, step)
        if step is Step.COMMITTING:
            queue._system.write = doomed_write  # type: ignore[method-assign]  # the next write is the settlement's
        found = await settle(owner, settlements)
        die_at(Step.SETTLED, step)
        settled += 1
        return found

    async def doomed_write(work: Work[Result], *, is_long: bool = False) -> Result:
        def half(transaction: Transaction) -> Result:
            result = work(transaction)
            die_at(Step.COMMITTING, step)
            return result

        return await write(half, is_long=is_long)

    queue.settle = doomed_settle  # type: ignore[method-assign]  # of this one queue


def die_at(here: Step, step: Step) -> None:
    if here is step:
        os.kill(os.getpid(), signal.SIGKILL)
