"""Who is banned, for all nodes: kept for a while after its end, so that the next ban of the same peer is longer."""

from collections.abc import Sequence
from typing import Protocol

from mailstack.model.conduct import Ban
from mailstack.model.instant import Instant


class Bans(Protocol):
    """Each put and each lift that lifted publishes ports.bus.BAN_TOPIC."""

    async def put(self, ban: Ban) -> None:
        """Durable when it returns; in place of the peer's last. Forgets those that nobody needs to remember."""
        ...

    async def last(self, peer: str) -> Ban | None:
        """Also one that has ended."""
        ...

    async def in_force(self, *, now: Instant) -> Sequence[Ban]:
        """Those that last longest first; at most a hundred thousand."""
        ...

    async def lift(self, peer: str) -> bool:
        """It is forgotten, as if it had never been. False: there was none."""
        ...
