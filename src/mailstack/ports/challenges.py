"""Proofs for certificate authorities: left by whoever orders a certificate, shown by every server that is asked."""

from collections.abc import Sequence
from typing import Protocol

from mailstack.model.challenge import Challenge, ChallengeKind
from mailstack.model.instant import Instant


class Challenges(Protocol):
    """Each put and remove publishes ports.bus.CHALLENGE_TOPIC."""

    async def put(self, challenge: Challenge) -> None:
        """Durable when it returns; in place of one of the same kind and name. Forgets those that have ended."""
        ...

    async def find(self, kind: ChallengeKind, name: str, *, now: Instant) -> Challenge | None:
        """The one that has not ended."""
        ...

    async def names(self, kind: ChallengeKind, *, now: Instant) -> Sequence[str]:
        """Of all that have not ended."""
        ...

    async def remove(self, kind: ChallengeKind, name: str) -> None:
        """One that is not there is as good as removed."""
        ...
