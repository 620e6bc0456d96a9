"""Leases on names, for work that one process of all must do."""

from typing import Protocol

from mailstack.model.instant import Instant


class Locks(Protocol):
    async def acquire(self, name: str, owner: str, *, now: Instant, until: Instant) -> bool:
        """True when the lease is now this owner's; renews one's own."""
        ...

    async def release(self, name: str, owner: str) -> None: ...
