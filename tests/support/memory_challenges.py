"""ports.challenges.Challenges in memory."""

from collections.abc import Sequence

from mailstack.model.challenge import Challenge, ChallengeKind
from mailstack.model.instant import Instant


class MemoryChallenges:
    def __init__(self, *challenges: Challenge) -> None:
        self._kept = {(challenge.kind, challenge.name): challenge for challenge in challenges}

    async def put(self, challenge: Challenge) -> None:
        self._kept[challenge.kind, challenge.name] = challenge

    async def find(self, kind: ChallengeKind, name: str, *, now: Instant) -> Challenge | None:
        found = self._kept.get((kind, name))
        return found if found is not None and found.until > now else None

    async def names(self, kind: ChallengeKind, *, now: Instant) -> Sequence[str]:
        return sorted(name for (of, name), found in self._kept.items() if of is kind and found.until > now)

    async def remove(self, kind: ChallengeKind, name: str) -> None:
        self._kept.pop((kind, name), None)
