"""Peers with many connections on some node, as the workers of all nodes last told: so that a limit holds for all of
them together. Only what is told is known; a node that has gone is forgotten when its word ends."""

from collections.abc import Collection, Mapping
from typing import Protocol

from mailstack.model.instant import Instant


class Crowds(Protocol):
    async def tell(self, worker: str, node: str, counts: Mapping[str, int], *, until: Instant) -> None:
        """counts: this worker's connections by peer, 0 for none any more; of others it said what it said before."""
        ...

    async def forget_ended(self, *, now: Instant) -> None:
        """Nobody is told of what has ended; now and then it is cleared away."""
        ...

    async def elsewhere(self, node: str, *, now: Instant) -> Mapping[str, int]:
        """Connections by peer on all other nodes together, of what has not ended; 0 for a peer that workers of this
        node alone told of, so that the others of them tell too."""
        ...

    async def holders(self, peers: Collection[str], *, now: Instant) -> Mapping[str, Mapping[str, int]]:
        """By peer: the connections of each worker of all nodes that has any."""
        ...
