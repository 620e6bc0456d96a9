"""ports.greylist.Greylist in memory."""

from collections.abc import Mapping, Sequence

from mailstack.model.greylist import GreyEntry
from mailstack.model.instant import Instant


class MemoryGreylist:
    def __init__(self) -> None:
        self.entries: dict[str, GreyEntry] = {}

    async def find(self, keys: Sequence[str], *, now: Instant) -> Mapping[str, GreyEntry]:
        return {key: self.entries[key] for key in keys if key in self.entries and self.entries[key].until > now}

    async def keep(self, entries: Mapping[str, GreyEntry]) -> None:
        self.entries.update(entries)

    async def forget(self, *, now: Instant) -> int:
        ended = [key for key, entry in self.entries.items() if entry.until <= now]
        for key in ended:
            del self.entries[key]
        return len(ended)
