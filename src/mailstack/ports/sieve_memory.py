"""What delivery remembers for scripts, by account, purpose and key, for all nodes.

A key may be any text, of any length: what is kept has the same size for each. Strangers can make keys at will, so an
account keeps MOST_KEYS for each purpose, those that would last longest.
"""

from collections.abc import Sequence
from typing import Protocol

from mailstack.model.ids import AccountId
from mailstack.model.instant import Instant
from mailstack.model.sieve_memory import Purpose

MOST_KEYS = 10_000


class SieveMemory(Protocol):
    """Durable when it returns."""

    async def is_known(self, account_id: AccountId, purpose: Purpose, key: str, *, now: Instant) -> bool: ...

    async def claim(self, account_id: AccountId, purpose: Purpose, key: str, *, now: Instant, until: Instant) -> bool:
        """True for one caller only, until then, however many ask at once; false also for what was noted."""
        ...

    async def note(self, account_id: AccountId, purpose: Purpose, keys: Sequence[tuple[str, Instant]]) -> None:
        """Each is known until then, or longer if it was already."""
        ...

    async def forget(self, *, now: Instant) -> int:
        """What has ended, of whichever account; returns how many."""
        ...
