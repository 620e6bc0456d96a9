"""Whom accounts know, in memory."""

from collections.abc import Collection, Mapping

from mailstack.model.acquaintance import Acquaintance
from mailstack.model.ids import AccountId
from mailstack.model.instant import Instant
from mailstack.ports.acquaintances import MOST_KEYS


class MemoryAcquaintances:
    """Works as ports.acquaintances.Acquaintances."""

    def __init__(self) -> None:
        self._ends: dict[Acquaintance, Instant] = {}

    async def find(self, account_id: AccountId, keys: Collection[int], *, now: Instant) -> Collection[Acquaintance]:
        return [
            one for one, until in self._ends.items() if one.account_id == account_id and one.key in keys and until > now
        ]

    async def note(self, met: Mapping[Acquaintance, Instant]) -> None:
        for one, until in met.items():
            self._ends[one] = max(until, self._ends.get(one, until))
        for account_id, tie in {(one.account_id, one.tie) for one in met}:
            kept = [one for one in self._ends if (one.account_id, one.tie) == (account_id, tie)]
            for one in sorted(kept, key=lambda one: (self._ends[one], one.key), reverse=True)[MOST_KEYS:]:
                del self._ends[one]

    async def part(self, account_id: AccountId, key: int) -> None:
        self._drop([one for one in self._ends if (one.account_id, one.key) == (account_id, key)])

    async def forget(self, *, now: Instant) -> int:
        return self._drop([one for one, until in self._ends.items() if until <= now])

    def _drop(self, ended: Collection[Acquaintance]) -> int:
        for one in ended:
            del self._ends[one]
        return len(ended)
