"""How the leases of one runner are shared out, so that neither a kind of mail nor a destination keeps others waiting.

Of the leases each priority has a part that no other may take; the rest goes to the higher first. So mail that people
here write finds room in a runner that a list keeps busy, and a bounce leaves in the end, however much people write.

Within a priority no destination gets more than its part. Recipients stand in lanes by their domain (P. McKenney,
Stochastic Fairness Queueing, 1990): an index finds the next of each lane at once, be there one domain or fifty
thousand, and a slow one holds up only those few that share its lane.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NewType
from zlib import crc32

from mailstack.model.delivery import Priority
from mailstack.model.instant import Instant

LANES = 256
URGENT_FIRST = tuple(sorted(Priority, reverse=True))

Lane = NewType("Lane", int)
"""Of one priority. The numbers stand in the store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """limit: to be taken now. free: leases that the runner has left, of which `own` are kept for these priorities.
    per_lane: leases in one lane; held: those that the runner has there."""

    limit: int
    free: int
    per_lane: int
    own: Mapping[Priority, int] = field(default_factory=dict)
    held: Mapping[Lane, int] = field(default_factory=dict)


class Taking:
    """What is left of a quota while it is used up."""

    def __init__(self, quota: Quota) -> None:
        self._limit = quota.limit
        self._free = quota.free
        self._own = dict(quota.own)
        self._per_lane = quota.per_lane
        self._held = Counter(quota.held)

    def room(self, priority: Priority) -> int:
        others = sum(own for other, own in self._own.items() if other is not priority)
        return max(min(self._limit, self._free - others), 0)

    def room_in(self, lane: Lane) -> int:
        return max(self._per_lane - self._held[lane], 0)

    def open_lanes(self, priority: Priority) -> list[Lane]:
        return [lane for number in range(LANES) if self.room_in(lane := Lane(priority * LANES + number))]

    def portions(self, priority: Priority, heads: Mapping[Lane, Instant]) -> tuple[list[Lane], int]:
        """Which lanes are to be looked at, and how many are taken of each. heads: since when the first of each is due.

        Those that have the fewest leases come first, and of these the one that has waited longest: none waits for
        ever. More than a part is never taken while others wait, so that the next call finds as much for them."""
        room = self.room(priority)
        lanes = sorted(heads, key=lambda lane: (self._held[lane], heads[lane]))[:room]
        return lanes, room // len(lanes) if lanes else 0

    def take(self, lane: Lane) -> bool:
        priority = priority_of(lane)
        if not self.room(priority) or not self.room_in(lane):
            return False
        self._limit -= 1
        self._free -= 1
        self._own[priority] = max(self._own.get(priority, 0) - 1, 0)
        self._held[lane] += 1
        return True


def lane_of(priority: Priority, recipient: str) -> Lane:
    """recipient: a path as written in RCPT TO. The same on every node, so not Python's own hash."""
    domain = recipient.rpartition("@")[2].lower()
    return Lane(priority * LANES + crc32(domain.encode()) % LANES)


def priority_of(lane: Lane) -> Priority:
    return Priority(lane // LANES)
