"""Other domains' MTA-STS policies in memory: ports.sts_policies for tests, and for who only looks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mailstack.model.instant import Instant
from mailstack.model.tls_policy import KnownStsPolicy, StsFetchFailure, StsMemory
from mailstack.ports.sts_policies import MOST_DOMAINS


@dataclass(frozen=True, slots=True)
class _Row:
    memory: StsMemory
    refresh_at: Instant
    ends_at: Instant


class MemoryStsPolicies:
    def __init__(self) -> None:
        self.rows: dict[str, _Row] = {}

    async def find(self, domain: str) -> StsMemory:
        return self.rows[domain].memory if domain in self.rows else StsMemory()

    async def keep(
        self, known: KnownStsPolicy, *, refresh_at: Instant, ends_at: Instant, most: int = MOST_DOMAINS
    ) -> None:
        used_at = (await self.find(known.domain)).used_at or known.fetched_at
        self.rows[known.domain] = _Row(StsMemory(known=known, used_at=used_at), refresh_at, ends_at)
        self._bound(most)

    async def failed(
        self, domain: str, failure: StsFetchFailure, *, retry_at: Instant, most: int = MOST_DOMAINS
    ) -> None:
        before = self.rows.get(domain) or _Row(StsMemory(used_at=failure.failed_at), retry_at, retry_at)
        ends_at = before.ends_at if before.memory.known else retry_at
        self.rows[domain] = _Row(replace(before.memory, failure=failure), retry_at, ends_at)
        self._bound(most)

    async def used(self, domain: str, *, now: Instant) -> None:
        row = self.rows.get(domain)
        if row is not None and row.memory.known is not None:
            self.rows[domain] = replace(row, memory=replace(row.memory, used_at=now))

    async def due(self, *, now: Instant, used_after: Instant, most: int) -> Sequence[KnownStsPolicy]:
        rows = sorted(
            (row.refresh_at, row.memory.known.domain, row.memory.known)
            for row in self.rows.values()
            if row.memory.known and row.refresh_at <= now < row.ends_at and (row.memory.used_at or 0) > used_after
        )
        return [known for _, _, known in rows[:most]]

    async def forget(self, *, now: Instant) -> int:
        ended = [domain for domain, row in self.rows.items() if row.ends_at <= now]
        for domain in ended:
            del self.rows[domain]
        return len(ended)

    def _bound(self, most: int) -> None:
        by_use = sorted(self.rows, key=lambda domain: self.rows[domain].memory.used_at or 0)
        for domain in by_use[: max(len(by_use) - most, 0)]:
            del self.rows[domain]
