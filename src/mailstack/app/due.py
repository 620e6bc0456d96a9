"""When something has to be done though nobody changed anything: timers on the wall clock.

Keys, certificates and policies live by dates. The wall clock may jump, and the monotonic one stands still while the
machine is suspended; so both are asked, at bounded intervals, and what either calls due is done. Not what is due: the
applier said when (`again_at`), and finds out what by planning.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from mailstack.app.reload import Reason, Reasons
from mailstack.model.instant import HOUR_MS, MINUTE_MS, SECOND_MS, Clock, Instant

LOOK_EVERY_S = 30.0
SHORTEST_WAIT_MS = 15 * SECOND_MS
"""A clock that jumps, or a plan that is never content, starts no storm of applies."""
FIRST_RETRY_MS = MINUTE_MS
LONGEST_RETRY_MS = HOUR_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One moment on both clocks."""

    at: Instant
    monotonic_s: float


class Due:
    """A moment for each reason: a spec that is refused is tried again, and what is due meanwhile is done all the same.
    monotonic: seconds."""

    def __init__(
        self, reasons: Reasons, *, clock: Clock, monotonic: Callable[[], float], look_every_s: float = LOOK_EVERY_S
    ) -> None:
        self._reasons = reasons
        self._clock = clock
        self._monotonic = monotonic
        self._look_every_s = look_every_s
        self._set = asyncio.Event()
        self._alarms: dict[Reason, Alarm] = {}
        self._failures: dict[Reason, int] = {}

    @property
    def next_at(self) -> Instant | None:
        """None while nothing is due ever."""
        return min((alarm.at for alarm in self._alarms.values()), default=None)

    def failures(self, reason: Reason) -> int:
        """In a row."""
        return self._failures.get(reason, 0)

    def begin(self, reason: Reason) -> None:
        """An apply is under way, and will say what comes after it; upkeep says nothing of a spec that was refused."""
        for each in [Reason.DUE] if reason is Reason.DUE else list(self._alarms):
            self._alarms.pop(each, None)

    def done(self, reason: Reason, again_at: Instant | None) -> None:
        """What was set since it began stays, for it knew nothing of that: somebody else has applied meanwhile."""
        self._failures.pop(reason, None)
        if reason is not Reason.DUE:
            self._alarms.pop(reason, None)
        if again_at is not None:
            self._no_later_than(again_at)

    def failed(self, reason: Reason) -> None:
        """What was done for this reason will be tried again, later each time."""
        self._failures[reason] = self.failures(reason) + 1
        self._schedule(reason, Instant(self._clock() + retry_wait_ms(self._failures[reason])))

    def within(self, wait_ms: int) -> None:
        """What is due is not known here, so it is looked at soon."""
        self._no_later_than(Instant(self._clock() + wait_ms))

    async def watch(self) -> None:
        """Gives the reasons when they are due; for ever."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._wait_s()):
                    await self._set.wait()
            self._set.clear()
            for reason in [reason for reason, alarm in self._alarms.items() if self._has_come(alarm)]:
                del self._alarms[reason]
                self._reasons.give(reason)

    def _no_later_than(self, moment: Instant) -> None:
        known = self._alarms.get(Reason.DUE)
        if known is None or moment < known.at:
            self._schedule(Reason.DUE, moment)

    def _schedule(self, reason: Reason, moment: Instant) -> None:
        now = self._clock()
        at = max(moment, Instant(now + SHORTEST_WAIT_MS))
        self._alarms[reason] = Alarm(at=at, monotonic_s=self._monotonic() + (at - now) / SECOND_MS)
        self._set.set()

    def _wait_s(self) -> float:
        waits = [alarm.monotonic_s - self._monotonic() for alarm in self._alarms.values()]
        return min(max(min(waits, default=self._look_every_s), 0.0), self._look_every_s)

    def _has_come(self, alarm: Alarm) -> bool:
        return self._clock() >= alarm.at or self._monotonic() >= alarm.monotonic_s


def retry_wait_ms(failures: int) -> int:
    """failures: in a row, >= 1."""
    doublings = min(failures - 1, 32)
    return min(FIRST_RETRY_MS << doublings, LONGEST_RETRY_MS)
