"""How many connections one destination gets at once, and what those behind a dead one are told.

Mail that queued up behind an attempt which reached nobody shares its outcome: a thousand mails for a host that is down
would otherwise wait out a thousand timeouts, and hold up everybody else's.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from mailstack.model.delivery import Deferred
from mailstack.services.outbound.destination import Destination


@dataclass(slots=True)
class _Crowd:
    """All who want the same destination now. size: those inside too."""

    places: asyncio.Semaphore
    size: int = 0
    unreached: Deferred | None = None


class Places:
    """limit: connections to one destination."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._crowds: dict[Destination, _Crowd] = {}

    @asynccontextmanager
    async def one(self, way: Destination) -> AsyncIterator[None]:
        crowd = self._crowds.get(way)
        if crowd is None:
            crowd = self._crowds[way] = _Crowd(asyncio.Semaphore(self._limit))
        crowd.size += 1
        try:
            async with crowd.places:
                yield
        finally:
            crowd.size -= 1
            if not crowd.size:
                # The last has gone; whoever comes later asks again.
                del self._crowds[way]

    def unreached(self, way: Destination) -> Deferred | None:
        """What an attempt made while others waited came to; None: nothing is known, so ask."""
        return self._crowds[way].unreached

    def note_unreached(self, way: Destination, outcome: Deferred) -> None:
        self._crowds[way].unreached = outcome
