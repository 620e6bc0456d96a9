"""Peers with many connections on some node, as the workers of all nodes last told: so that a limit holds for all of
them together. Only what is told is known; a node that has gone is forgotten when its word ends."""

from collections.abc import Mapping
from typing import Protocol

from mailstack.model.instant import Instant


class Crowds(Protocol):
    async def tell(self, worker: str, node: str, counts: Mapping[str, int], *, now: Instant, until: Instant) -> None:
        """In place of all that this worker told before. counts: connections by peer."""
        ...

    async def elsewhere(self, node: str, *, now: Instant) -> Mapping[str, int]:
        """Connections by peer on all other nodes together, of what has not ended; 0 for a peer that workers of this
        node alone told of, so that the others of them tell too."""
        ...
