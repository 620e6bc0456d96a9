"""The outbound queue: one row a recipient, worked on under a lease. A crash lets the lease expire: at worst an attempt
is made twice, never none."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from mailstack.model.delivery import Outcome, OutgoingMail, QueueItem, QueueState
from mailstack.model.ids import MailId, QueueItemId
from mailstack.model.instant import Instant


class Queue(Protocol):
    async def enqueue(
        self, mails: Sequence[OutgoingMail], *, next_at: Instant, state: QueueState = QueueState.WAITING
    ) -> Sequence[MailId]:
        """Durable, all or none, when it returns."""
        ...

    async def lease(self, owner: str, *, now: Instant, until: Instant, limit: int) -> Sequence[QueueItem]:
        """Takes items that are due and whose lease, if any, has passed; soonest due first, whole mails together."""
        ...

    async def renew(self, owner: str, item_ids: Sequence[QueueItemId], *, until: Instant) -> Collection[QueueItemId]:
        """Prolongs those leases that are still this owner's, so that leases can be short and attempts long; gives
        those."""
        ...

    async def content(self, mail_id: MailId) -> bytes: ...

    async def settle(
        self,
        owner: str,
        item_id: QueueItemId,
        outcome: Outcome,
        *,
        next_at: Instant | None,
        notices: Sequence[OutgoingMail] = (),
    ) -> bool:
        """Ends the lease: delivered and failed items leave the queue (their mail with the last of them), deferred
        ones wait until next_at. `notices` are enqueued in the same transaction, so that no bounce is lost or doubled.
        False when the lease was no longer this owner's; then nothing was written."""
        ...

    async def next_due(self) -> Instant | None:
        """When the next waiting item is due or its lease ends; None: nothing waits."""
        ...

    async def counts(self) -> Mapping[QueueState, int]:
        """How many items there are of each state that there are any of."""
        ...

    async def items(self, *, states: Sequence[QueueState] = (), limit: int = 1_000) -> Sequence[QueueItem]:
        """Oldest first; no states: all."""
        ...
