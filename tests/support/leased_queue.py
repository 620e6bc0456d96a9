"""The outbound queue in memory with leases that run out, for its runner."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mailstack.model.delivery import Deferred, Outcome, OutgoingMail, QueueItem, QueueState
from mailstack.model.errors import DomainError
from mailstack.model.ids import MailId, QueueItemId
from mailstack.model.instant import Instant
from mailstack.ports.bus import QUEUE_TOPIC, Bus


@dataclass
class _Lease:
    owner: str
    until: Instant


class LeasedQueue:
    """Works as ports.queue.Queue. faults: raised by content(), by mail. settle_faults: raised by settle(), by
    recipient, while they are there. settle_gate: waited for in settle(). settled: what settle() was told, in order."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._contents: dict[MailId, bytes] = {}
        self._items: dict[QueueItemId, QueueItem] = {}
        self._leases: dict[QueueItemId, _Lease] = {}
        self._last = 0
        self.faults: dict[MailId, DomainError] = {}
        self.settle_gate: asyncio.Event | None = None
        self.settle_faults: dict[str, DomainError] = {}
        self.settled: list[tuple[str, Outcome]] = []

    async def enqueue(
        self, mails: Sequence[OutgoingMail], *, next_at: Instant, state: QueueState = QueueState.WAITING
    ) -> Sequence[MailId]:
        found = []
        for mail in mails:
            mail_id = MailId(self._next())
            self._contents[mail_id] = bytes(mail.raw)
            for recipient in mail.recipients:
                item_id = QueueItemId(self._next())
                self._items[item_id] = _item(item_id, mail_id, mail, recipient, next_at, state)
            found.append(mail_id)
        self._bus.publish(QUEUE_TOPIC)
        return found

    async def lease(self, owner: str, *, now: Instant, until: Instant, limit: int) -> Sequence[QueueItem]:
        due = [item for item in self._waiting() if self._due_at(item) <= now][:limit]
        self._leases.update({item.item_id: _Lease(owner, until) for item in due})
        return due

    async def renew(self, owner: str, item_ids: Sequence[QueueItemId], *, until: Instant) -> None:
        for item_id in item_ids:
            if item_id in self._leases and self._leases[item_id].owner == owner:
                self._leases[item_id].until = until

    async def content(self, mail_id: MailId) -> bytes:
        if mail_id in self.faults:
            raise self.faults[mail_id]
        return self._contents[mail_id]

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
        lease = self._leases.get(item_id)
        if lease is None or lease.owner != owner:
            return False
        if self._items[item_id].recipient in self.settle_faults:
            raise self.settle_faults[self._items[item_id].recipient]
        del self._leases[item_id]
        item = self._items.pop(item_id)
        self.settled.append((item.recipient, outcome))
        if isinstance(outcome, Deferred):
            state = QueueState.HELD if next_at is None else QueueState.WAITING
            self._items[item_id] = replace(
                item,
                tries=item.tries + 1,
                state=state,
                next_at=item.next_at if next_at is None else next_at,
                last_reply=outcome.reply,
                last_host=outcome.host,
            )
        for notice in notices:
            await self.enqueue((notice,), next_at=notice.queued_at)
        self._bus.publish(QUEUE_TOPIC)
        return True

    async def next_due(self) -> Instant | None:
        return min(map(self._due_at, self._waiting()), default=None)

    async def items(self, *, states: Sequence[QueueState] = (), limit: int = 1_000) -> Sequence[QueueItem]:
        return [item for item in self._items.values() if not states or item.state in states][:limit]

    def _next(self) -> int:
        self._last += 1
        return self._last

    def _waiting(self) -> list[QueueItem]:
        return [item for item in self._items.values() if item.state is QueueState.WAITING]

    def _due_at(self, item: QueueItem) -> Instant:
        lease = self._leases.get(item.item_id)
        return item.next_at if lease is None else lease.until


def _item(
    item_id: QueueItemId, mail_id: MailId, mail: OutgoingMail, recipient: str, next_at: Instant, state: QueueState
) -> QueueItem:
    return QueueItem(
        item_id=item_id,
        mail_id=mail_id,
        reverse_path=mail.reverse_path,
        recipient=recipient,
        state=state,
        size_bytes=len(mail.raw),
        queued_at=mail.queued_at,
        next_at=next_at,
        tries=0,
        last_reply=None,
        last_host="",
        is_8bit=mail.is_8bit,
        smtp_utf8=mail.smtp_utf8,
        trace_id=mail.trace_id,
    )
