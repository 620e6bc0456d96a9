"""ports.crowds in memory, for tests of what is made of it; the contract runs on it too."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from mailstack.model.errors import TryAgainLater
from mailstack.model.instant import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    node: str
    connections: int
    until: Instant


class MemoryCrowds:
    """tellings: what was told, by each call."""

    def __init__(self) -> None:
        self._told: dict[tuple[str, str], Word] = {}
        self.is_gone = False
        self.tellings: list[dict[str, int]] = []

    async def tell(self, worker: str, node: str, counts: Mapping[str, int], *, until: Instant) -> None:
        self._check()
        self.tellings.append(dict(counts))
        for peer, connections in counts.items():
            self._told[worker, peer] = Word(node=node, connections=connections, until=until)

    async def forget_ended(self, *, now: Instant) -> None:
        self._check()
        self._told = {key: word for key, word in self._told.items() if word.until > now}

    async def elsewhere(self, node: str, *, now: Instant) -> Mapping[str, int]:
        self._check()
        found: Counter[str] = Counter()
        for (_, peer), word in self._told.items():
            if word.until > now and word.connections:
                found[peer] += 0 if word.node == node else word.connections
        return dict(found)

    async def holders(self, peers: Collection[str], *, now: Instant) -> Mapping[str, Mapping[str, int]]:
        self._check()
        found: dict[str, dict[str, int]] = {}
        for (worker, peer), word in self._told.items():
            if peer in peers and word.until > now and word.connections:
                found.setdefault(peer, {})[worker] = word.connections
        return found

    def _check(self) -> None:
        if self.is_gone:
            raise TryAgainLater("the database is gone")
