"""Failed logins cost time: the answer is held back, longer with each failure of an address and for a name.

Who logs in rightly waits for nothing, whatever others do under the same name. Nobody is banned here.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from mailstack.model.errors import TryAgainLater
from mailstack.model.instant import MINUTE_MS, Clock, Instant
from mailstack.model.networks import subscriber_of

FREE = 3
"""Failures that are answered at once: people mistype."""
FIRST_S = 1.0
MOST_S = 16.0
FORGOTTEN_MS = 15 * MINUTE_MS
"""After the last failure."""
REMEMBERED = 10_000
"""Addresses and names together; what failed longest ago is forgotten first."""
HELD_AT_ONCE = 10
"""Answers of one address. More tries are turned away unread: guessing side by side gains nothing."""


class Elsewhere(Protocol):
    """Failures that other processes of this machine have seen, as net.tally counts them."""

    def note(self, peer: str, change: int) -> None: ...

    def count(self, peer: str) -> int: ...


@dataclass(slots=True)
class _Failures:
    last: Instant
    count: int = 0


class LoginDelays:
    """Of one process, for as long as it runs. sleep: takes seconds."""

    def __init__(self, clock: Clock, elsewhere: Elsewhere, *, sleep: Callable[[float], Awaitable[None]]) -> None:
        self._clock = clock
        self._elsewhere = elsewhere
        self._sleep = sleep
        self._failures: OrderedDict[str, _Failures] = OrderedDict()
        self._held: dict[str, int] = {}

    def require_a_turn(self, host: str) -> None:
        """Before a password is looked at. Raises TryAgainLater where too many answers to that address are held."""
        if self._held.get(subscriber_of(host), 0) >= HELD_AT_ONCE:
            raise TryAgainLater("too many failed logins from this address are being answered")

    async def hold(self, host: str, name: str) -> None:
        """One more failure, and the wait before its answer. name: the same for all ways of writing it, "" for none."""
        site = subscriber_of(host)
        wait_s = self._note(f"login from {site}")
        if name:
            wait_s = max(wait_s, self._note(f"login as {name}"))
        if not wait_s:
            return
        self._held[site] = self._held.get(site, 0) + 1
        try:
            await self._sleep(wait_s)
        finally:
            self._held[site] -= 1
            if not self._held[site]:
                del self._held[site]

    def _note(self, key: str) -> float:
        """How long that failure makes its answer wait."""
        self._forget()
        known = self._failures.setdefault(key, _Failures(last=self._clock()))
        known.count += 1
        known.last = self._clock()
        self._failures.move_to_end(key)
        self._elsewhere.note(key, 1)
        return _wait_s(known.count + self._elsewhere.count(key))

    def _forget(self) -> None:
        while self._failures:
            key, oldest = next(iter(self._failures.items()))
            # Also where the clock was put back: nobody waits until it is there again.
            is_over = not 0 <= self._clock() - oldest.last < FORGOTTEN_MS
            if not is_over and len(self._failures) < REMEMBERED:
                return
            del self._failures[key]
            self._elsewhere.note(key, -oldest.count)


def _wait_s(failures: int) -> float:
    if failures <= FREE:
        return 0
    return min(MOST_S, FIRST_S * 2.0 ** min(failures - FREE - 1, 10))
