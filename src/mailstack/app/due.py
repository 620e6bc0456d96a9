"""When something has to be done though nobody changed anything: one timer on the wall clock.

Keys, certificates and policies live by dates. The wall clock may jump, and the monotonic one stands still while the
machine is suspended; so both are asked, at bounded intervals, and what either calls due is done. Not what is due: the
applier said when (`again_at`), and finds out what by planning.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from mailstack.app.reload import Reason, Reasons
from mailstack.model.instant import HOUR_MS, MINUTE_MS, SECOND_MS, Clock, Instant

LOOK_EVERY_S = 30.0
SHORTEST_WAIT_MS = 15 * SECOND_MS
"""A clock that jumps, or a plan that is never content, starts no storm of applies."""
FIRST_RETRY_MS = MINUTE_MS
LONGEST_RETRY_MS = HOUR_MS


class Due:
    """next_at: None while nothing is due ever. monotonic: seconds."""

    def __init__(
        self, reasons: Reasons, *, clock: Clock, monotonic: Callable[[], float], look_every_s: float = LOOK_EVERY_S
    ) -> None:
        self._reasons = reasons
        self._clock = clock
        self._monotonic = monotonic
        self._look_every_s = look_every_s
        self._set = asyncio.Event()
        self._reason = Reason.DUE
        self._monotonic_at = 0.0
        self.next_at: Instant | None = None
        self.failures = 0

    def nothing(self) -> None:
        """An apply is under way, and will say what comes after it."""
        self.next_at = None

    def done(self, again_at: Instant | None) -> None:
        self.failures = 0
        self.next_at = None
        if again_at is not None:
            self._schedule(Reason.DUE, again_at)

    def failed(self, reason: Reason) -> None:
        """What was done for this reason will be tried again, later each time."""
        self.failures += 1
        self._schedule(reason, Instant(self._clock() + retry_wait_ms(self.failures)))

    def within(self, wait_ms: int) -> None:
        """Somebody else applied: what is due after that is not known here, so it is looked at soon."""
        moment = Instant(self._clock() + wait_ms)
        if self.next_at is None or moment < self.next_at:
            self._schedule(Reason.DUE, moment)

    async def watch(self) -> None:
        """Gives the reasons when they are due; for ever."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._wait_s()):
                    await self._set.wait()
            self._set.clear()
            if self._is_due():
                self.next_at = None
                self._reasons.give(self._reason)

    def _schedule(self, reason: Reason, moment: Instant) -> None:
        now = self._clock()
        self.next_at = max(moment, Instant(now + SHORTEST_WAIT_MS))
        self._monotonic_at = self._monotonic() + (self.next_at - now) / SECOND_MS
        self._reason = reason
        self._set.set()

    def _wait_s(self) -> float:
        if self.next_at is None:
            return self._look_every_s
        return min(max(self._monotonic_at - self._monotonic(), 0.0), self._look_every_s)

    def _is_due(self) -> bool:
        if self.next_at is None:
            return False
        return self._clock() >= self.next_at or self._monotonic() >= self._monotonic_at


def retry_wait_ms(failures: int) -> int:
    """failures: in a row, >= 1."""
    doublings = min(failures - 1, 32)
    return min(FIRST_RETRY_MS << doublings, LONGEST_RETRY_MS)
