"""The outbound queue in memory, with leases that run out."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count, groupby

from mailstack.model.delivery import Deferred, Outcome, OutgoingMail, QueueItem, QueueState
from mailstack.model.errors import NotFound
from mailstack.model.handling import UNASKED
from mailstack.model.ids import MailId, QueueItemId
from mailstack.model.instant import Instant
from mailstack.ports.bus import QUEUE_TOPIC, Bus


@dataclass(slots=True)
class _Lease:
    owner: str
    until: Instant


class MemoryQueue:
    """Works as ports.queue.Queue."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._contents: dict[MailId, bytes] = {}
        self._items: dict[QueueItemId, QueueItem] = {}
        self._leases: dict[QueueItemId, _Lease] = {}
        self._numbers = count(1)

    async def enqueue(
        self, mails: Sequence[OutgoingMail], *, next_at: Instant, state: QueueState = QueueState.WAITING
    ) -> Sequence[MailId]:
        found = []
        for mail in mails:
            mail_id = MailId(next(self._numbers))
            # What was given may be a file that is closed as soon as this returns.
            self._contents[mail_id] = bytes(mail.raw)
            for recipient in mail.recipients:
                item_id = QueueItemId(next(self._numbers))
                self._items[item_id] = _item(item_id, mail_id, mail, recipient, next_at, state)
            found.append(mail_id)
        self._bus.publish(QUEUE_TOPIC)
        return found

    async def lease(self, owner: str, *, now: Instant, until: Instant, limit: int) -> Sequence[QueueItem]:
        due = sorted((item for item in self._waiting() if self._due_at(item) <= now), key=_soonest)
        taken: list[QueueItem] = []
        for _, of_mail in groupby(due, key=lambda item: item.mail_id):
            items = list(of_mail)
            if taken and len(taken) + len(items) > limit:
                break
            taken += items[:limit]
        self._leases.update({item.item_id: _Lease(owner, until) for item in taken})
        return taken

    async def renew(self, owner: str, item_ids: Sequence[QueueItemId], *, until: Instant) -> Collection[QueueItemId]:
        own = [item_id for item_id in item_ids if item_id in self._leases and self._leases[item_id].owner == owner]
        for item_id in own:
            self._leases[item_id].until = until
        return own

    async def content(self, mail_id: MailId) -> bytes:
        content = self._contents.get(mail_id)
        if content is None:
            raise NotFound(f"no mail {mail_id} in the queue")
        return content

    async def settle(
        self,
        owner: str,
        item_id: QueueItemId,
        outcome: Outcome,
        *,
        next_at: Instant | None,
        notices: Sequence[OutgoingMail] = (),
    ) -> bool:
        lease = self._leases.get(item_id)
        if lease is None or lease.owner != owner:
            return False
        del self._leases[item_id]
        item = self._items.pop(item_id)
        if isinstance(outcome, Deferred):
            self._items[item_id] = _deferred(item, outcome, next_at)
        elif all(other.mail_id != item.mail_id for other in self._items.values()):
            del self._contents[item.mail_id]
        for notice in notices:
            await self.enqueue((notice,), next_at=notice.queued_at)
        self._bus.publish(QUEUE_TOPIC)
        return True

    async def next_due(self) -> Instant | None:
        return min(map(self._due_at, self._waiting()), default=None)

    async def counts(self) -> Mapping[QueueState, int]:
        return Counter(item.state for item in self._items.values())

    async def items(self, *, states: Sequence[QueueState] = (), limit: int = 1_000) -> Sequence[QueueItem]:
        oldest_first = sorted(self._items.values(), key=lambda item: item.item_id)
        return [item for item in oldest_first if not states or item.state in states][:limit]

    def _waiting(self) -> list[QueueItem]:
        return [item for item in self._items.values() if item.state is QueueState.WAITING]

    def _due_at(self, item: QueueItem) -> Instant:
        lease = self._leases.get(item.item_id)
        return item.next_at if lease is None else lease.until


def _soonest(item: QueueItem) -> tuple[Instant, MailId, QueueItemId]:
    return (item.next_at, item.mail_id, item.item_id)


def _deferred(item: QueueItem, outcome: Deferred, next_at: Instant | None) -> QueueItem:
    return replace(
        item,
        tries=item.tries + 1,
        state=QueueState.HELD if next_at is None else QueueState.WAITING,
        next_at=item.next_at if next_at is None else next_at,
        last_reply=outcome.reply,
        last_host=outcome.host,
    )


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
        handling=mail.handling,
        notification=mail.notifications.get(recipient, UNASKED),
    )
