"""What is remembered of other domains' MTA-STS policies, for all nodes. RFC 8461 §3.3."""

from collections.abc import Sequence
from typing import Protocol

from mailstack.model.instant import Instant
from mailstack.model.tls_policy import KnownStsPolicy, StsFetchFailure, StsMemory

MOST_DOMAINS = 100_000
"""Remembered at once: beyond that, those go of which nothing was heard for longest."""


class StsPolicies(Protocol):
    async def find(self, domain: str) -> StsMemory:
        """Also what has ended."""
        ...

    async def keep(
        self, known: KnownStsPolicy, *, refresh_at: Instant, ends_at: Instant, most: int = MOST_DOMAINS
    ) -> None:
        """Durable when it returns; in place of the domain's former policy, and of its failure."""
        ...

    async def failed(
        self, domain: str, failure: StsFetchFailure, *, retry_at: Instant, most: int = MOST_DOMAINS
    ) -> None:
        """In place of the domain's former failure; its policy stays, and is due again then. A failure without a policy
        ends then."""
        ...

    async def used(self, domain: str, *, now: Instant) -> None:
        """Mail asked for its policy. Nothing where there is none."""
        ...

    async def due(self, *, now: Instant, used_after: Instant, most: int) -> Sequence[KnownStsPolicy]:
        """To be refreshed now, those first that have been for longest."""
        ...

    async def forget(self, *, now: Instant) -> int:
        """Those that have ended; returns how many."""
        ...
