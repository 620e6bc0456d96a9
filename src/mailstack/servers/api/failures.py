"""How often an address has shown tokens that are none: whoever does it too often is not listened to for a while.

Nobody guesses a token; this keeps a flood of guesses from the database and from the log.
"""

from collections import OrderedDict
from dataclasses import dataclass

from mailstack.model.instant import MINUTE_MS, SECOND_MS, Clock
from mailstack.model.networks import subscriber_of

MOST = 20
WITHIN_MS = MINUTE_MS
REMEMBERED = 10_000
"""Addresses; the one that failed longest ago is forgotten first."""


@dataclass(slots=True)
class _Count:
    since: int
    failures: int = 0


class Failures:
    """Of one process, for as long as it runs."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counts: OrderedDict[str, _Count] = OrderedDict()

    def wait_s(self, host: str) -> int:
        """How long that address has to wait, 0 for not at all."""
        count = self._counts.get(subscriber_of(host))
        if count is None or count.failures < MOST or self._is_over(count):
            return 0
        return -((self._clock() - count.since - WITHIN_MS) // SECOND_MS)

    def note(self, host: str) -> None:
        site = subscriber_of(host)
        count = self._counts.get(site)
        if count is None or self._is_over(count):
            count = self._counts[site] = _Count(since=self._clock())
        count.failures += 1
        self._counts.move_to_end(site)
        while len(self._counts) > REMEMBERED:
            self._counts.popitem(last=False)

    def _is_over(self, count: _Count) -> bool:
        """Also where the clock was put back: nobody is locked out until it is there again."""
        return not 0 <= self._clock() - count.since < WITHIN_MS
