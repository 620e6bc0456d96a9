"""The outbound queue in memory, with leases that run out."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import count

from mailstack.model.bad_address import is_plain
from mailstack.model.delivery import Deferred, OutgoingMail, Priority, QueueItem, QueueState, Settlement
from mailstack.model.errors import NotFound
from mailstack.model.handling import UNASKED
from mailstack.model.ids import MailId, QueueItemId
from mailstack.model.instant import Instant
from mailstack.model.queue_entry import HeldBack, PriorityFigures, QueueEntry, QueueFigures, Status
from mailstack.model.queue_share import URGENT_FIRST, Lane, Quota, Taking, lane_of
from mailstack.ports.bus import QUEUE_TOPIC, Bus
from mailstack.store.memory.bad_addresses import MemoryBadAddresses


@dataclass(slots=True)
class _Lease:
    owner: str
    until: Instant


class MemoryQueue:
    """Works as ports.queue.Queue."""

    def __init__(self, bus: Bus, bad_addresses: MemoryBadAddresses) -> None:
        self._bus = bus
        self._bad_addresses = bad_addresses
        self._contents: dict[MailId, bytes] = {}
        self._items: dict[QueueItemId, QueueItem] = {}
        self._leases: dict[QueueItemId, _Lease] = {}
        self._wished: dict[QueueItemId, Instant] = {}
        self._relays: dict[QueueItemId, str] = {}
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

    async def lease(self, owner: str, *, now: Instant, until: Instant, quota: Quota) -> Sequence[QueueItem]:
        taking = Taking(quota)
        taken: list[QueueItem] = []
        for priority in URGENT_FIRST:
            due = sorted(
                (item for item in self._waiting() if item.priority is priority and self._due_at(item) <= now),
                key=self._soonest,
            )
            if len(due) > taking.room(priority):
                due = self._by_lane(due, priority, taking)
            taken += [item for item in due if taking.take(lane_of(priority, item.recipient))]
        self._leases.update({item.item_id: _Lease(owner, until) for item in taken})
        return [replace(item, is_doubtful=self._is_doubtful(item.recipient)) for item in taken]

    async def renew(self, owner: str, item_ids: Sequence[QueueItemId], *, until: Instant) -> Collection[QueueItemId]:
        own = [item_id for item_id in item_ids if self._is_owned(owner, item_id)]
        for item_id in own:
            self._leases[item_id].until = until
        return own

    async def content(self, mail_id: MailId) -> bytes:
        content = self._contents.get(mail_id)
        if content is None:
            raise NotFound(f"no mail {mail_id} in the queue")
        return content

    async def settle(self, owner: str, settlements: Sequence[Settlement]) -> Collection[QueueItemId]:
        ours = [each for each in settlements if self._is_owned(owner, each.item_id)]
        for each in ours:
            item = self._leave(each.item_id)
            if isinstance(each.outcome, Deferred):
                told = replace(item, is_delay_told=item.is_delay_told or each.is_delay_told)
                self._items[each.item_id] = _deferred(told, each.outcome, each.next_at)
                self._relays[each.item_id] = each.outcome.relay
                if each.outcome.until is not None and each.next_at is not None:
                    self._wished[each.item_id] = each.next_at
                self._bus.publish(QUEUE_TOPIC)
            else:
                self._leave_mail(item.mail_id)
            for notice in each.notices:
                await self.enqueue((notice,), next_at=notice.queued_at)
        return [each.item_id for each in ours]

    async def next_due(self) -> Instant | None:
        return min(map(self._due_at, self._waiting()), default=None)

    async def figures(self, *, now: Instant, domains: int) -> QueueFigures:
        entries = [self._entry(item, now) for item in self._items.values()]
        mails = {item.mail_id: item for item in self._items.values()}
        by_domain = Counter(item.recipient.rpartition("@")[2].lower() for item in self._items.values())
        return QueueFigures(
            statuses=Counter(entry.status for entry in entries),
            due=sum(entry.status is Status.WAITING and entry.due_at <= now for entry in entries),
            mails=len(mails),
            size_bytes=sum(item.size_bytes for item in mails.values()),
            oldest_at=min((item.queued_at for item in mails.values()), default=None),
            domains=tuple(sorted(by_domain.items(), key=lambda each: (-each[1], each[0]))[:domains]),
            priorities=self._priorities(),
            held_back=self._held_back()[:domains],
        )

    def _priorities(self) -> dict[Priority, PriorityFigures]:
        queued: dict[Priority, list[Instant]] = {}
        for item in self._items.values():
            queued.setdefault(item.priority, []).append(item.queued_at)
        return {
            priority: PriorityFigures(recipients=len(found), oldest_at=min(found)) for priority, found in queued.items()
        }

    def _held_back(self) -> tuple[HeldBack, ...]:
        waiting: dict[str, list[QueueItem]] = {}
        for item in self._waiting():
            if item.waits_for:
                waiting.setdefault(item.waits_for, []).append(item)
        found = [
            HeldBack(
                destination=name,
                recipients=len(items),
                oldest_at=min(item.queued_at for item in items),
                next_at=min(map(self._due_at, items)),
                why=max(item.last_reply.text for item in items if item.last_reply is not None),
            )
            for name, items in waiting.items()
        ]
        return tuple(sorted(found, key=lambda each: (-each.recipients, each.destination)))

    async def items(self, *, states: Sequence[QueueState] = (), limit: int = 1_000) -> Sequence[QueueItem]:
        oldest_first = sorted(self._items.values(), key=lambda item: item.item_id)
        return [item for item in oldest_first if not states or item.state in states][:limit]

    async def page(self, *, after: QueueItemId, now: Instant, limit: int) -> Sequence[QueueEntry]:
        following = sorted(item_id for item_id in self._items if item_id > after)[:limit]
        return [self._entry(self._items[item_id], now) for item_id in following]

    async def put(
        self, item_ids: Sequence[QueueItemId], *, was: QueueState, state: QueueState, now: Instant
    ) -> Collection[QueueItemId]:
        free = [self._items[item_id] for item_id in self._free(item_ids, now)]
        changed = [item.item_id for item in free if item.state is was and item.queued_at <= now]
        for item_id in changed:
            self._leases.pop(item_id, None)
            self._items[item_id] = replace(self._items[item_id], state=state)
            self._wished[item_id] = now
        self._bus.publish(QUEUE_TOPIC)
        return changed

    async def retry_others(self, relays: Collection[str], *, now: Instant) -> int:
        found = [
            item.item_id
            for item in self._waiting()
            if self._relays.get(item.item_id, "") not in ("", *relays)
            and item.item_id not in self._leases
            and self._due_at(item) > now
        ]
        self._wished.update(dict.fromkeys(found, now))
        self._bus.publish(QUEUE_TOPIC)
        return len(found)

    async def take(
        self, owner: str, item_ids: Sequence[QueueItemId], *, now: Instant, until: Instant
    ) -> Sequence[QueueItem]:
        taken = self._free(item_ids, now)
        self._leases.update({item_id: _Lease(owner, until) for item_id in taken})
        return [self._items[item_id] for item_id in taken]

    async def drop(self, item_ids: Sequence[QueueItemId], *, now: Instant) -> Sequence[QueueItem]:
        dropped = [self._leave(item_id) for item_id in self._free(item_ids, now)]
        for mail_id in {item.mail_id for item in dropped}:
            self._leave_mail(mail_id)
        self._bus.publish(QUEUE_TOPIC)
        return dropped

    def _is_doubtful(self, recipient: str) -> bool:
        return not is_plain(recipient) or recipient.lower() in self._bad_addresses

    def _by_lane(self, due: Sequence[QueueItem], priority: Priority, taking: Taking) -> list[QueueItem]:
        there: dict[Lane, list[QueueItem]] = {}
        for item in due:
            there.setdefault(lane_of(priority, item.recipient), []).append(item)
        heads = {lane: self._due_at(there[lane][0]) for lane in taking.open_lanes(priority) if lane in there}
        lanes, portion = taking.portions(priority, heads)
        return [item for lane in lanes for item in there[lane][:portion]]

    def _free(self, item_ids: Sequence[QueueItemId], now: Instant) -> list[QueueItemId]:
        found = (self._items[item_id] for item_id in sorted(set(item_ids)) if item_id in self._items)
        return [item.item_id for item in found if not self._is_leased(item, now)]

    def _leave(self, item_id: QueueItemId) -> QueueItem:
        self._leases.pop(item_id, None)
        self._wished.pop(item_id, None)
        self._relays.pop(item_id, None)
        return self._items.pop(item_id)

    def _leave_mail(self, mail_id: MailId) -> None:
        if all(other.mail_id != mail_id for other in self._items.values()):
            del self._contents[mail_id]

    def _is_owned(self, owner: str, item_id: QueueItemId) -> bool:
        return item_id in self._leases and self._leases[item_id].owner == owner

    def _entry(self, item: QueueItem, now: Instant) -> QueueEntry:
        return QueueEntry(item=item, due_at=self._due_at(item), is_leased=self._is_leased(item, now))

    def _is_leased(self, item: QueueItem, now: Instant) -> bool:
        return item.item_id in self._leases and self._leases[item.item_id].until > now

    def _waiting(self) -> list[QueueItem]:
        return [item for item in self._items.values() if item.state is QueueState.WAITING]

    def _due_at(self, item: QueueItem) -> Instant:
        lease = self._leases.get(item.item_id)
        return self._wished.get(item.item_id, item.next_at) if lease is None else lease.until

    def _soonest(self, item: QueueItem) -> tuple[Instant, MailId, QueueItemId]:
        return (self._due_at(item), item.mail_id, item.item_id)


def _deferred(item: QueueItem, outcome: Deferred, next_at: Instant | None) -> QueueItem:
    if outcome.until is not None:
        return replace(item, last_reply=outcome.reply, last_host=outcome.host, waits_for=outcome.waits_for)
    return replace(
        item,
        waits_for="",
        tries=item.tries + 1,
        state=QueueState.HELD if next_at is None else QueueState.WAITING,
        next_at=item.next_at if next_at is None else next_at,
        last_reply=outcome.reply,
        last_host=outcome.host,
        last_tls=outcome.tls,
        last_source=outcome.source,
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
        is_suspicious=mail.is_suspicious,
        priority=mail.priority,
        submission_id=mail.submission_id,
    )
