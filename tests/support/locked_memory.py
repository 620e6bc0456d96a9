"""What delivery remembers for scripts, in a database that is locked for longer than anybody waits."""

from collections.abc import Sequence

from mailstack.model.errors import TryAgainLater
from mailstack.model.ids import AccountId
from mailstack.model.instant import Instant
from mailstack.model.sieve_memory import Purpose
from mailstack.ports.sieve_memory import SieveMemory


class LockedMemory:
    """Works as ports.sieve_memory.SieveMemory: reads, and cannot write. fault: what comes of it."""

    def __init__(self, memory: SieveMemory, fault: Exception | None = None) -> None:
        self._memory = memory
        self._fault = TryAgainLater("the database is locked") if fault is None else fault

    async def is_known(self, account_id: AccountId, purpose: Purpose, key: str, *, now: Instant) -> bool:
        return await self._memory.is_known(account_id, purpose, key, now=now)

    async def claim(self, account_id: AccountId, purpose: Purpose, key: str, *, now: Instant, until: Instant) -> bool:  # noqa: ARG002
        raise self._fault

    async def note(self, account_id: AccountId, purpose: Purpose, keys: Sequence[tuple[str, Instant]]) -> None:  # noqa: ARG002
        raise self._fault

    async def forget(self, *, now: Instant) -> int:  # noqa: ARG002
        raise self._fault
