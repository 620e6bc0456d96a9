"""The outbound queue in memory with faults and gates, for its runner."""

import asyncio
from collections.abc import Collection, Sequence

from mailstack.model.delivery import Outcome, Settlement
from mailstack.model.errors import DomainError
from mailstack.model.ids import MailId, QueueItemId
from mailstack.ports.bus import Bus
from mailstack.store.memory.bad_addresses import MemoryBadAddresses
from mailstack.store.memory.queue import MemoryQueue


class LeasedQueue(MemoryQueue):
    """faults: raised by content(), by mail. settle_faults: raised by settle(), by recipient, while they are there.
    settle_gate: waited for in settle(). settled: what settle() was told and wrote, in order; writes: how
    often it did."""

    def __init__(self, bus: Bus, bad_addresses: MemoryBadAddresses | None = None) -> None:
        super().__init__(bus, bad_addresses or MemoryBadAddresses())
        self.faults: dict[MailId, DomainError] = {}
        self.settle_gate: asyncio.Event | None = None
        self.settle_faults: dict[str, DomainError] = {}
        self.settled: list[tuple[str, Outcome]] = []
        self.writes = 0

    async def content(self, mail_id: MailId) -> bytes:
        if mail_id in self.faults:
            raise self.faults[mail_id]
        return await super().content(mail_id)

    async def settle(self, owner: str, settlements: Sequence[Settlement]) -> Collection[QueueItemId]:
        if self.settle_gate is not None:
            await self.settle_gate.wait()
        recipients = {item.item_id: item.recipient for item in await self.items()}
        for each in settlements:
            if recipients.get(each.item_id) in self.settle_faults:
                raise self.settle_faults[recipients[each.item_id]]
        ours = await super().settle(owner, settlements)
        self.settled += [(recipients[each.item_id], each.outcome) for each in settlements if each.item_id in ours]
        self.writes += 1
        return ours
