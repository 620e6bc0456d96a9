"""What providers said to mail that went straight to them while our address was new, for all nodes."""

from collections.abc import Sequence
from typing import Protocol

from mailstack.model.instant import Instant
from mailstack.model.warm_up import WarmDay


class WarmDays(Protocol):
    async def add(self, day: WarmDay) -> None:
        """To what is counted of that provider on that day. Durable when it returns."""
        ...

    async def of(self, provider: str, *, since: Instant) -> Sequence[WarmDay]:
        """Ascending."""
        ...

    async def all(self, *, since: Instant) -> Sequence[WarmDay]:
        """By provider, then ascending."""
        ...

    async def forget(self, *, before: Instant) -> int:
        """Days of whichever provider; returns how many."""
        ...
