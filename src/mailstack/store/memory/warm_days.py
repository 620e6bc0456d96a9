"""What providers said to mail that went straight to them, in memory."""

from collections.abc import Sequence
from dataclasses import replace

from mailstack.model.instant import Instant
from mailstack.model.warm_up import WarmDay


class MemoryWarmDays:
    """Works as ports.warm_days.WarmDays."""

    def __init__(self) -> None:
        self._days: dict[tuple[str, Instant], WarmDay] = {}

    async def add(self, day: WarmDay) -> None:
        old = self._days.get((day.provider, day.day), replace(day, taken=0, troubles=0))
        self._days[day.provider, day.day] = replace(
            day, taken=old.taken + day.taken, troubles=old.troubles + day.troubles
        )

    async def of(self, provider: str, *, since: Instant) -> Sequence[WarmDay]:
        return [day for day in await self.all(since=since) if day.provider == provider]

    async def all(self, *, since: Instant) -> Sequence[WarmDay]:
        return [day for key, day in sorted(self._days.items()) if key[1] >= since]

    async def forget(self, *, before: Instant) -> int:
        old = [key for key in self._days if key[1] < before]
        for key in old:
            del self._days[key]
        return len(old)
