"""How many connections one destination gets at once, what those behind a dead one are told, and how much of large
mails may lie in memory.

Mail that queued up behind an attempt which reached nobody shares its outcome: a thousand mails for a host that is down
would otherwise wait out a thousand timeouts, and hold up everybody else's. Mail for one that is left alone for a while
(pace.py) is let go until then, and its lease is free for others.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import structlog

from mailstack.model.delivery import Deferred, Delivered, Outcome, Priority
from mailstack.model.instant import Clock, Instant, iso
from mailstack.services.outbound.destination import Destination
from mailstack.services.outbound.limits import Group
from mailstack.services.outbound.line import Line
from mailstack.services.outbound.pace import Pace, is_complaint

log = structlog.get_logger()

MAX_REMEMBERED: Final = 10_000
MAX_UNREACHED: Final = 1_000
"""Of one crowd: an entry of the spec may be for any number of domains."""
MOST_TOLD: Final = 20


@dataclass(slots=True)
class Crowd:
    """All who want the same destination now. size: those inside too. unreached: by way, for domains with the same
    exchangers may ask for other certificates; and when that was."""

    pace: Pace
    size: int = 0
    inside: int = 0
    waiting: Line = field(default_factory=Line)
    unreached: dict[Destination, tuple[Deferred, Instant]] = field(default_factory=dict)

    def known(self, way: Destination, came_at: Instant) -> Deferred | None:
        """What an attempt has come to since. A crowd may be there for days: who came later asks again."""
        outcome, at = self.unreached.get(way, (None, came_at))
        return outcome if at >= came_at else None

    def note_unreached(self, way: Destination, outcome: Deferred, now: Instant) -> None:
        if len(self.unreached) >= MAX_UNREACHED:
            self.unreached.clear()
        self.unreached[way] = outcome, now

    def admit(self, now: Instant) -> None:
        """Those who have a place now; all, where there is nothing to wait for."""
        while self.waiting and (self.inside < self.pace.places or self.pace.is_off(now)):
            turn = self.waiting.next()
            if not turn.done():
                turn.set_result(None)
                self.inside += 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Slowed:
    """A destination with fewer connections than the most it might have. until: it is left alone; None where it is not.
    why: what it said, "" where that was nothing."""

    destination: str
    connections: int
    most: int
    until: Instant | None
    why: str


class Places:
    """clock: of back-offs."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._crowds: OrderedDict[Group, Crowd] = OrderedDict()

    @asynccontextmanager
    async def one(self, group: Group, most: int, priority: Priority) -> AsyncIterator[Crowd]:
        """most: connections at once, at best. Whoever enters looks whether the destination is left alone."""
        crowd = self._crowd(group, most)
        crowd.size += 1
        try:
            await self._enter(crowd, priority)
            try:
                yield crowd
            finally:
                self._leave(crowd)
        finally:
            crowd.size -= 1
            if not crowd.size:
                # The last has gone; whoever comes later asks again.
                crowd.unreached.clear()
                self._put_away(group, crowd)

    def note(self, group: Group, crowd: Crowd, outcomes: Sequence[Outcome]) -> None:
        """What one attempt came to: one word about the destination, however many recipients there were."""
        now = self._clock()
        was_off = crowd.pace.is_off(now)
        crowd.pace.note(_telling(outcomes), now)
        if crowd.pace.is_off(now) and not was_off:
            log.warning(
                "a destination is left alone",
                destination=group[0],
                until=iso(crowd.pace.until),
                reply=str(crowd.pace.why),
                connections=crowd.pace.places,
            )
        crowd.admit(now)

    def slowed(self) -> Sequence[Slowed]:
        """Those that were sent to last, by name; no more than so many."""
        now = self._clock()
        found = [
            Slowed(
                destination=group[0],
                connections=pace.places,
                most=pace.most,
                until=pace.until if pace.is_off(now) else None,
                why=str(pace.why or ""),
            )
            for group, pace in ((group, crowd.pace) for group, crowd in reversed(self._crowds.items()))
            if pace.is_off(now) or pace.places < pace.most
        ]
        return sorted(found[:MOST_TOLD], key=lambda each: each.destination)

    def _crowd(self, group: Group, most: int) -> Crowd:
        crowd = self._crowds.get(group)
        if crowd is None:
            crowd = self._crowds[group] = Crowd(pace=Pace(most=most, places=most))
        elif crowd.pace.most != most:
            crowd.pace.become(most)
        return crowd

    async def _enter(self, crowd: Crowd, priority: Priority) -> None:
        if crowd.inside < crowd.pace.places and not crowd.waiting:
            crowd.inside += 1
            return
        turn = crowd.waiting.join(priority)
        crowd.admit(self._clock())
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave(crowd)
            raise

    def _leave(self, crowd: Crowd) -> None:
        crowd.inside -= 1
        crowd.admit(self._clock())

    def _put_away(self, group: Group, crowd: Crowd) -> None:
        if crowd.pace.is_plain:
            del self._crowds[group]
            return
        self._crowds.move_to_end(group)
        if len(self._crowds) > MAX_REMEMBERED:
            # A slow one that is still sent to must not keep all that come after it.
            del self._crowds[next(oldest for oldest, found in self._crowds.items() if not found.size)]


def _telling(outcomes: Sequence[Outcome]) -> Outcome:
    """A recipient who was taken says more than others who were put off; a complaint about us, more than either."""
    complaint = next(filter(is_complaint, outcomes), None)
    return complaint or next((each for each in outcomes if isinstance(each, Delivered)), outcomes[0])


class Room:
    """octets: of the mails that are under way at once. One that is larger than all of it has it for itself."""

    def __init__(self, octets: int) -> None:
        self._octets = self._free = octets
        self._freed = asyncio.Event()

    @asynccontextmanager
    async def of(self, size: int) -> AsyncIterator[None]:
        size = min(size, self._octets)
        while self._free < size:
            self._freed.clear()
            await self._freed.wait()
        self._free -= size
        try:
            yield
        finally:
            self._free += size
            self._freed.set()
