"""The outbound queue in memory, with what tests ask about it."""

from collections.abc import Sequence
from dataclasses import replace

from mailstack.model.delivery import OutgoingMail, QueueItem, QueueState
from mailstack.model.errors import TryAgainLater
from mailstack.model.ids import MailId
from mailstack.model.instant import Instant
from mailstack.store.memory import queue
from mailstack.store.memory.bad_addresses import MemoryBadAddresses
from tests.support.recording_bus import RecordingBus


class MemoryQueue(queue.MemoryQueue):
    """mails: all that were ever enqueued, in order. is_broken: as a full disk would have it."""

    def __init__(self) -> None:
        super().__init__(RecordingBus(), MemoryBadAddresses())
        self.mails: list[OutgoingMail] = []
        self.is_broken = False

    async def enqueue(
        self, mails: Sequence[OutgoingMail], *, next_at: Instant, state: QueueState = QueueState.WAITING
    ) -> Sequence[MailId]:
        if self.is_broken:
            raise TryAgainLater("the disk is full")
        self.mails += [replace(mail, raw=bytes(mail.raw)) for mail in mails]
        return await super().enqueue(mails, next_at=next_at, state=state)

    async def waiting(self) -> Sequence[QueueItem]:
        return await self.items(states=(QueueState.WAITING,))
