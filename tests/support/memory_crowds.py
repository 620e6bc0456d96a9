"""ports.crowds in memory, for tests of what is made of it; the contract runs on it too."""

from collections import Counter
from collections.abc import Mapping

from mailstack.model.errors import TryAgainLater
from mailstack.model.instant import Instant


class MemoryCrowds:
    def __init__(self) -> None:
        self._told: dict[str, tuple[str, Instant, Mapping[str, int]]] = {}
        self.is_gone = False
        self.tellings = 0

    async def tell(self, worker: str, node: str, counts: Mapping[str, int], *, now: Instant, until: Instant) -> None:
        self._check()
        self.tellings += 1
        self._told = {name: word for name, word in self._told.items() if word[1] > now}
        self._told[worker] = (node, until, dict(counts))

    async def elsewhere(self, node: str, *, now: Instant) -> Mapping[str, int]:
        self._check()
        found: Counter[str] = Counter()
        for teller, until, counts in self._told.values():
            if until > now:
                found.update({peer: 0 if teller == node else count for peer, count in counts.items()})
        return dict(found)

    def _check(self) -> None:
        if self.is_gone:
            raise TryAgainLater("the database is gone")
