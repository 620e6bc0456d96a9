"""How often an account may have a code sent to some URL: each is a request to a stranger. RFC 8620 §8.6."""

from collections import deque

from mailstack.model.ids import AccountId
from mailstack.model.instant import HOUR_MS, Clock, Instant

MOST_WITHIN = 60
WITHIN_MS = HOUR_MS


class PushRate:
    """Of one process, for one generation."""

    def __init__(self, clock: Clock, *, most: int = MOST_WITHIN) -> None:
        self._clock = clock
        self._most = most
        self._asked: dict[AccountId, deque[Instant]] = {}

    def may_ask(self, account_id: AccountId) -> bool:
        """True: once more, which counts."""
        now = self._clock()
        self._forget(now)
        asked = self._asked.setdefault(account_id, deque())
        if len(asked) >= self._most:
            return False
        asked.append(now)
        return True

    def _forget(self, now: Instant) -> None:
        for account_id, asked in [*self._asked.items()]:
            while asked and not 0 <= now - asked[0] < WITHIN_MS:
                asked.popleft()
            if not asked:
                del self._asked[account_id]
