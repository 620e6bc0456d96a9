"""What greylisting remembers, for all nodes."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from mailstack.model.greylist import GreyEntry
from mailstack.model.instant import Instant


class Greylist(Protocol):
    async def find(self, keys: Sequence[str], *, now: Instant) -> Mapping[str, GreyEntry]:
        """Those that have not ended."""
        ...

    async def keep(self, entries: Mapping[str, GreyEntry]) -> None:
        """Durable when it returns; each in place of one with the same key."""
        ...

    async def forget(self, *, now: Instant) -> int:
        """Those that have ended; returns how many."""
        ...
