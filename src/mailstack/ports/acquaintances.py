"""Whom accounts know, and what they have sent, for all nodes.

Strangers have a say in it, so an account keeps MOST_KEYS of each tie, those that would last longest.
"""

from collections.abc import Collection, Mapping
from typing import Protocol

from mailstack.model.acquaintance import Acquaintance
from mailstack.model.ids import AccountId
from mailstack.model.instant import Instant

MOST_KEYS = 20_000


class Acquaintances(Protocol):
    async def find(self, account_id: AccountId, keys: Collection[int], *, now: Instant) -> Collection[Acquaintance]:
        """Those that have not ended, of any tie."""
        ...

    async def note(self, met: Mapping[Acquaintance, Instant]) -> None:
        """Each is known until then, or longer if it was already. Durable when it returns."""
        ...

    async def part(self, account_id: AccountId, key: int) -> None:
        """As if they had never met."""
        ...

    async def forget(self, *, now: Instant) -> int:
        """What has ended, of whichever account; returns how many."""
        ...
