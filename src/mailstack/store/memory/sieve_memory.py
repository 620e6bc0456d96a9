"""What delivery remembers for scripts, in memory."""

from collections.abc import Sequence

from mailstack.model.ids import AccountId
from mailstack.model.instant import Instant
from mailstack.model.sieve_memory import Purpose
from mailstack.ports.sieve_memory import MOST_KEYS


class MemorySieveMemory:
    """Works as ports.sieve_memory.SieveMemory."""

    def __init__(self) -> None:
        self._ends: dict[tuple[AccountId, Purpose], dict[str, Instant]] = {}

    async def is_known(self, account_id: AccountId, purpose: Purpose, key: str, *, now: Instant) -> bool:
        return self._ends.get((account_id, purpose), {}).get(key, now) > now

    async def claim(self, account_id: AccountId, purpose: Purpose, key: str, *, now: Instant, until: Instant) -> bool:
        if await self.is_known(account_id, purpose, key, now=now):
            return False
        await self.note(account_id, purpose, [(key, until)])
        return True

    async def note(self, account_id: AccountId, purpose: Purpose, keys: Sequence[tuple[str, Instant]]) -> None:
        ends = self._ends.setdefault((account_id, purpose), {})
        for key, until in keys:
            ends[key] = max(until, ends.get(key, until))
        for key in sorted(ends, key=lambda key: ends[key], reverse=True)[MOST_KEYS:]:
            del ends[key]

    async def forget(self, *, now: Instant) -> int:
        old = [(ends, key) for ends in self._ends.values() for key, until in ends.items() if until <= now]
        for ends, key in old:
            del ends[key]
        return len(old)
