"""The outbound queue: one row a recipient, worked on under a lease. A crash lets the lease expire: at worst an attempt
is made twice, never none."""

from collections.abc import Collection, Sequence
from typing import Protocol

from mailstack.model.delivery import OutgoingMail, QueueItem, QueueState, Settlement
from mailstack.model.ids import MailId, QueueItemId
from mailstack.model.instant import Instant
from mailstack.model.queue_entry import QueueEntry, QueueFigures
from mailstack.model.queue_share import Quota


class Queue(Protocol):
    async def enqueue(
        self, mails: Sequence[OutgoingMail], *, next_at: Instant, state: QueueState = QueueState.WAITING
    ) -> Sequence[MailId]:
        """Durable, all or none, when it returns."""
        ...

    async def lease(self, owner: str, *, now: Instant, until: Instant, quota: Quota) -> Sequence[QueueItem]:
        """Takes items that are due and whose lease, if any, has passed: of the higher priority first, then the
        soonest due, and where more is due than there is room for, from all lanes alike."""
        ...

    async def renew(self, owner: str, item_ids: Sequence[QueueItemId], *, until: Instant) -> Collection[QueueItemId]:
        """Prolongs those leases that are still this owner's, so that leases can be short and attempts long; gives
        those."""
        ...

    async def content(self, mail_id: MailId) -> bytes: ...

    async def settle(self, owner: str, settlements: Sequence[Settlement]) -> Collection[QueueItemId]:
        """Ends the leases of those that are still this owner's, and gives them; of others nothing is written. A mail
        leaves with the last of its recipients. All in one transaction, notices too: no bounce is lost or doubled."""
        ...

    async def next_due(self) -> Instant | None:
        """When the next waiting item is due or its lease ends; None: nothing waits."""
        ...

    async def figures(self, *, now: Instant, domains: int) -> QueueFigures:
        """domains: how many at most are told; of destinations that are held back as many."""
        ...

    async def items(self, *, states: Sequence[QueueState] = (), limit: int = 1_000) -> Sequence[QueueItem]:
        """Oldest first; no states: all."""
        ...

    async def page(self, *, after: QueueItemId, now: Instant, limit: int) -> Sequence[QueueEntry]:
        """What follows `after`, oldest first: the whole queue, a part at a time."""
        ...

    async def put(
        self, item_ids: Sequence[QueueItemId], *, was: QueueState, state: QueueState, now: Instant
    ) -> Collection[QueueItemId]:
        """By a person's wish: those that are in the state `was` and that no lease holds are held from now on, or due
        at once; gives those, but for mail that its sender has asked to be held. The schedule goes on where it was."""
        ...

    async def retry_others(self, relays: Collection[str], *, now: Instant) -> int:
        """Due at once is what waits since a relay put it off whose mark is none of these; returns how many."""
        ...

    async def take(
        self, owner: str, item_ids: Sequence[QueueItemId], *, now: Instant, until: Instant
    ) -> Sequence[QueueItem]:
        """Leases those that no lease holds, due or not, held or not; gives those."""
        ...

    async def drop(self, item_ids: Sequence[QueueItemId], *, now: Instant) -> Sequence[QueueItem]:
        """Those that no lease holds leave the queue, their mail with the last of them, and nobody is told; gives
        those, as they were."""
        ...
