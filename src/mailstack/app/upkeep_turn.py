"""Which of several nodes looks after what is due by the clock: the one that holds a lease in the database.

The others look again a while later, so that a node that dies is followed by another. A node may always do again what
is its own: something may be due sooner than it was when it last looked.
"""

from mailstack.model.errors import DomainError
from mailstack.model.instant import HOUR_MS, MINUTE_MS, Instant
from mailstack.ports.locks import Locks

LEASE = "upkeep"
WORK_MS = HOUR_MS
"""How long a look may take before another node takes it for dead: zones are written meanwhile, and certificates
ordered."""
LOOK_AGAIN_MS = 15 * MINUTE_MS
AHEAD_MS = MINUTE_MS
"""Whose turn it was comes first when the next thing is due."""
LONGEST_MS = 2 * WORK_MS
"""However far away that is: a longer lease is taken for one by a clock that was wrong (store/sql/locks), and each node
finds out by a look of its own what is due later."""


async def take_upkeep(locks: Locks, node: str, *, now: Instant) -> bool:
    """False: another node looks after it."""
    return await locks.acquire(LEASE, node, now=now, until=Instant(now + WORK_MS))


async def keep_upkeep(locks: Locks, node: str, *, now: Instant, again_at: Instant | None) -> None:
    """Until it is due again, and a moment more."""
    until = now + LONGEST_MS if again_at is None else min(again_at + AHEAD_MS, now + LONGEST_MS)
    await locks.acquire(LEASE, node, now=now, until=Instant(max(until, now + AHEAD_MS)))


async def leave_upkeep(locks: Locks, node: str) -> None:
    """It failed here; elsewhere it may not."""
    try:
        await locks.release(LEASE, node)
    except DomainError:
        return  # the lease ends by itself
