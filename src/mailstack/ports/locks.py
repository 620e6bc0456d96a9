"""Leases on names, for work that one process of all must do."""

from dataclasses import dataclass
from typing import Protocol

from mailstack.model.instant import Instant


@dataclass(frozen=True, slots=True)
class Lease:
    """Of a name: told to whoever writes, so that nobody does who has lost it without noticing, as one may who was
    stopped for longer than it lasted."""

    name: str
    owner: str


class Locks(Protocol):
    async def acquire(self, name: str, owner: str, *, now: Instant, until: Instant) -> bool:
        """True when the lease is now this owner's; renews one's own.

        Whoever wants a name asks for about as long as all others do. A lease that is to end further ahead than twice
        that was taken by a clock that was wrong, and binds nobody.
        """
        ...

    async def holder(self, name: str, *, now: Instant) -> str:
        """The owner of the lease that binds others now; "" for nobody."""
        ...

    async def release(self, name: str, owner: str) -> None: ...
