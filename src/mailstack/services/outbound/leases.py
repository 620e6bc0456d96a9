"""The leases of one runner: taken, prolonged while work lasts, and never trusted past their end.

A machine that was suspended, or a loop that stood still, wakes up with leases that another runner may hold by now:
whoever is about to send looks at `are_held` first. RFC 5321 §4.5.4.
"""

from collections.abc import Sequence

import structlog

from mailstack.model.delivery import QueueItem
from mailstack.model.errors import DomainError
from mailstack.model.ids import QueueItemId
from mailstack.model.instant import SECOND_MS, Clock, Instant
from mailstack.ports.queue import Queue

log = structlog.get_logger()


class Leases:
    """owner: unlike that of any other runner, past or present."""

    def __init__(self, *, queue: Queue, clock: Clock, owner: str, lease_s: float) -> None:
        self._queue = queue
        self._clock = clock
        self._owner = owner
        self._lease_ms = lease_s * SECOND_MS
        self._ends: dict[QueueItemId, Instant] = {}
        self._renewed_at = Instant(0)

    def __len__(self) -> int:
        return len(self._ends)

    async def take(self, *, limit: int) -> Sequence[QueueItem]:
        now = self._clock()
        until = self._end(now)
        try:
            items = await self._queue.lease(self._owner, now=now, until=until, limit=limit)
        except DomainError as fault:
            log.warning("queue not read", fault=repr(fault))
            return ()
        # What this runner works on already, and whose lease ran out meanwhile, is only held again.
        fresh = [item for item in items if item.item_id not in self._ends]
        self._ends.update((item.item_id, until) for item in items)
        return fresh

    async def renew(self) -> None:
        now = self._clock()
        if not self._ends or now - self._renewed_at < self._lease_ms / 4:
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

    def are_held(self, items: Sequence[QueueItem]) -> bool:
        now = self._clock()
        return all(self._ends.get(item.item_id, now) > now for item in items)

    def drop(self, items: Sequence[QueueItem]) -> None:
        for item in items:
            self._ends.pop(item.item_id, None)

    def _end(self, now: Instant) -> Instant:
        return Instant(now + round(self._lease_ms))
