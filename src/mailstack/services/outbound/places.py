"""How many connections one destination gets at once, and what those behind a dead one are told.

Mail that queued up behind an attempt which reached nobody shares its outcome: a thousand mails for a host that is down
would otherwise wait out a thousand timeouts, and hold up everybody else's.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from mailstack.model.delivery import Deferred
from mailstack.services.outbound.destination import Destination


class Places:
    """limit: connections to one destination."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._taken: defaultdict[Destination, int] = defaultdict(int)
        self._wanted: defaultdict[Destination, int] = defaultdict(int)
        self._unreached: dict[Destination, Deferred] = {}
        self._freed = asyncio.Condition()

    @asynccontextmanager
    async def one(self, way: Destination) -> AsyncIterator[None]:
        self._wanted[way] += 1
        try:
            async with self._freed:
                await self._freed.wait_for(lambda: self._taken[way] < self._limit)
                self._taken[way] += 1
            try:
                yield
            finally:
                self._taken[way] -= 1
                async with self._freed:
                    self._freed.notify_all()
        finally:
            self._wanted[way] -= 1
            if not self._wanted[way]:
                self._forget(way)

    def unreached(self, way: Destination) -> Deferred | None:
        """What an attempt made while others waited came to; None: nothing is known, so ask."""
        return self._unreached.get(way)

    def note_unreached(self, way: Destination, outcome: Deferred) -> None:
        self._unreached[way] = outcome

    def _forget(self, way: Destination) -> None:
        """The last of the crowd has gone; whoever comes later asks again."""
        del self._wanted[way]
        self._taken.pop(way, None)
        self._unreached.pop(way, None)
