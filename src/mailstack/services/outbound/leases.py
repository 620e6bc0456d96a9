"""The leases of one runner: taken, prolonged while work lasts, and never trusted past their end.

A machine that was suspended, or a loop that stood still, wakes up with leases that another runner may hold by now:
whoever is about to send looks at `are_held` first. RFC 5321 §4.5.4.
"""

from collections import Counter
from collections.abc import Sequence

import structlog

from mailstack.model.delivery import Priority, QueueItem
from mailstack.model.errors import DomainError
from mailstack.model.ids import QueueItemId
from mailstack.model.instant import SECOND_MS, Clock, Instant
from mailstack.model.queue_share import Lane, Quota, lane_of, priority_of
from mailstack.ports.queue import Queue

log = structlog.get_logger()

AT_ONCE = 200
"""More leases are taken in several transactions, so that none lasts long."""
WORTH_ASKING = 25
"""So many make a transaction worth while: one for each recipient of a list would cost as much as sending. Who gets less
has nearly all that there was."""
_OWN_PART = {Priority.SUBMISSION: 4, Priority.BULK: 8, Priority.BOUNCE: 16}
"""One lease of so many that nobody else gets."""


class Leases:
    """owner: unlike that of any other runner, past or present. items: the most; per_lane: in one queue_share.Lane."""

    def __init__(
        self, *, queue: Queue, clock: Clock, owner: str, lease_s: float, items: int = 800, per_lane: int = 100
    ) -> None:
        self._queue = queue
        self._clock = clock
        self._owner = owner
        self._lease_ms = lease_s * SECOND_MS
        self._items = items
        self._per_lane = per_lane
        self._ends: dict[QueueItemId, Instant] = {}
        self._taken: dict[QueueItemId, QueueItem] = {}
        self._again: set[QueueItemId] = set()
        self._unused: list[QueueItemId] = []
        self._held: Counter[Lane] = Counter()
        self._dropped = 0
        self._renewed_at = Instant(0)

    @property
    def have_room(self) -> bool:
        return bool(self._unused) or self._dropped >= min(WORTH_ASKING, max(self._items // 32, 1))

    async def take(self) -> Sequence[QueueItem]:
        self._dropped = 0
        quota = self._quota()
        if quota.limit <= 0:
            return ()
        now = self._clock()
        until = self._end(now)
        try:
            items = await self._queue.lease(self._owner, now=now, until=until, quota=quota)
        except DomainError as fault:
            log.warning("queue not read", fault=repr(fault))
            return ()
        # What this runner works on already is only held again: its lease ran out meanwhile, or it was settled just now
        # and is due.
        fresh = [item for item in items if item.item_id not in self._ends]
        self._again.update(item.item_id for item in items if item.item_id in self._ends)
        self._ends.update((item.item_id, until) for item in items)
        self._taken.update((item.item_id, item) for item in fresh)
        self._held.update(lane_of(item.priority, item.recipient) for item in fresh)
        return fresh

    async def renew(self) -> None:
        now = self._clock()
        if self._unused:
            await self._give_back(now)
        # Before the last time it is where the clock was set back.
        if not self._ends or 0 <= now - self._renewed_at < self._lease_ms / 4:
            return
        self._renewed_at = now
        # One that has run out is taken anew or not at all: it may be another's by now.
        item_ids = [item_id for item_id, end in self._ends.items() if end > now]
        until = self._end(now)
        try:
            own = frozenset(await self._queue.renew(self._owner, item_ids, until=until))
        except DomainError as fault:
            log.warning("leases not renewed", fault=repr(fault))
            return
        # Another runner may have taken some, while this question was on its way or by a clock ahead of ours.
        for item_id in item_ids:
            if item_id in self._ends:
                self._ends[item_id] = until if item_id in own else now

    async def _give_back(self, now: Instant) -> None:
        """Leases that end now, of what is due again since its work has ended; what was settled otherwise has none."""
        unused, self._unused = self._unused, []
        try:
            await self._queue.renew(self._owner, unused, until=now)
        except DomainError as fault:
            log.warning("leases not given back; they run out", fault=repr(fault))

    def are_held(self, items: Sequence[QueueItem]) -> bool:
        now = self._clock()
        return all(self._ends.get(item.item_id, now) > now for item in items)

    def left(self, items: Sequence[QueueItem]) -> list[QueueItem]:
        """items: as `take` gave them. Those not dropped since: one that was may be here again, for other work."""
        return [item for item in items if self._taken.get(item.item_id) is item]

    def drop(self, items: Sequence[QueueItem]) -> None:
        for item in items:
            if item.item_id in self._again:
                self._again.discard(item.item_id)
                self._unused.append(item.item_id)
            self._taken.pop(item.item_id, None)
            if self._ends.pop(item.item_id, None) is not None:
                self._held[lane_of(item.priority, item.recipient)] -= 1
                self._dropped += 1

    def _quota(self) -> Quota:
        self._held = +self._held  # without those of which there are none any more
        own = {priority: self._items // part for priority, part in _OWN_PART.items()}
        for lane, count in self._held.items():
            own[priority_of(lane)] -= count
        free = self._items - len(self._ends)
        return Quota(
            limit=min(free, AT_ONCE),
            free=free,
            per_lane=self._per_lane,
            own={priority: max(left, 0) for priority, left in own.items()},
            held=self._held,
        )

    def _end(self, now: Instant) -> Instant:
        return Instant(now + round(self._lease_ms))
