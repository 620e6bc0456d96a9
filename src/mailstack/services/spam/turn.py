"""Who writes to the models: one at a time, of all nodes and commands, by a lease that is renewed while it is held."""

from mailstack.model.errors import TryAgainLater
from mailstack.model.instant import MINUTE_MS, SECOND_MS, Clock, Instant
from mailstack.ports.locks import Lease, Locks

LEASE = "spam training"
LEASE_MS = 2 * MINUTE_MS
RENEW_MS = 30 * SECOND_MS


class LearningTurn:
    """owner: unlike any other's."""

    def __init__(self, locks: Locks, *, owner: str, clock: Clock) -> None:
        self._locks = locks
        self._owner = owner
        self._clock = clock
        self._taken_at = Instant(0)

    @property
    def lease(self) -> Lease:
        return Lease(LEASE, self._owner)

    async def take(self) -> bool:
        """False: another has it."""
        now = self._clock()
        if not await self._locks.acquire(LEASE, self._owner, now=now, until=Instant(now + LEASE_MS)):
            return False
        self._taken_at = now
        return True

    async def keep(self) -> None:
        """Called now and then by who has it. Raises TryAgainLater when it was lost."""
        if self._clock() - self._taken_at >= RENEW_MS and not await self.take():
            raise TryAgainLater("somebody else writes to the spam models by now")

    async def give_back(self) -> None:
        await self._locks.release(LEASE, self._owner)
