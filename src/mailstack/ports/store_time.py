"""The time that all processes of one store agree on, whatever the clocks of their machines say."""

from typing import Protocol

from mailstack.model.instant import Instant


class StoreTime(Protocol):
    async def now(self) -> Instant:
        """By the store's own clock. On one machine: the machine's."""
        ...
