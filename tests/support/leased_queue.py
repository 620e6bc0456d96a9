"""The outbound queue in memory with faults and gates, for its runner."""

import asyncio
from collections.abc import Sequence

from mailstack.model.delivery import Outcome, OutgoingMail
from mailstack.model.errors import DomainError
from mailstack.model.ids import MailId, QueueItemId
from mailstack.model.instant import Instant
from mailstack.ports.bus import Bus
from mailstack.store.memory.queue import MemoryQueue


class LeasedQueue(MemoryQueue):
    """faults: raised by content(), by mail. settle_faults: raised by settle(), by recipient, while they are there.
    settle_gate: waited for in settle(). settled: what settle() was told and wrote, in order."""

    def __init__(self, bus: Bus) -> None:
        super().__init__(bus)
        self.faults: dict[MailId, DomainError] = {}
        self.settle_gate: asyncio.Event | None = None
        self.settle_faults: dict[str, DomainError] = {}
        self.settled: list[tuple[str, Outcome]] = []

    async def content(self, mail_id: MailId) -> bytes:
        if mail_id in self.faults:
            raise self.faults[mail_id]
        return await super().content(mail_id)

    async def settle(
        self,
        owner: str,
        item_id: QueueItemId,
        outcome: Outcome,
        *,
        next_at: Instant | None,
        notices: Sequence[OutgoingMail] = (),
    ) -> bool:
        if self.settle_gate is not None:
            await self.settle_gate.wait()
        recipient = {item.item_id: item.recipient for item in await self.items()}.get(item_id, "")
        if recipient in self.settle_faults:
            raise self.settle_faults[recipient]
        is_written = await super().settle(owner, item_id, outcome, next_at=next_at, notices=notices)
        if is_written:
            self.settled.append((recipient, outcome))
        return is_written
