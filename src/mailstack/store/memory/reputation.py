"""How much mail of senders was wanted, in memory."""

from collections.abc import Mapping, Sequence

from mailstack.model.reputation import NO_COUNTS, Counts
from mailstack.ports.reputation import SubjectVoice


class MemoryReputation:
    """Works as ports.reputation.Reputation."""

    def __init__(self) -> None:
        self._said: dict[SubjectVoice, Counts] = {}

    async def find(self, subjects: Sequence[int], *, most: float) -> Mapping[int, Counts]:
        found: dict[int, Counts] = {}
        for (subject, _), said in self._said.items():
            if subject in subjects:
                believed = Counts(max(0.0, min(most, said.ham)), max(0.0, min(most, said.spam)))
                found[subject] = found.get(subject, NO_COUNTS) + believed
        return found

    async def add(self, said: Mapping[SubjectVoice, Counts]) -> None:
        for key, counts in said.items():
            self._said[key] = self._said.get(key, NO_COUNTS) + counts

    async def forget(self, *, below: float) -> int:
        return self._drop([key for key, said in self._said.items() if said.ham + said.spam < below])

    async def bound(self, most_rows: int) -> int:
        heaviest = sorted(self._said, key=lambda key: (-self._said[key].ham - self._said[key].spam, key))
        return self._drop(heaviest[most_rows:])

    def _drop(self, keys: Sequence[SubjectVoice]) -> int:
        for key in keys:
            del self._said[key]
        return len(keys)
