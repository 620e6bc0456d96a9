"""LiveDns within a time: how long a plan waits for DNS, with all its questions together.

As long as answers come, and a little longer: a spec with thousands of records needs its time where DNS answers, and
must not wait where it is gone. What is given up is a value like any other that could not be learned.
"""

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from mailstack.reconcile.dns.live import LiveDns, Seen, Sight

QUIET_S = 5.0
"""Without one answer to any question."""
MOST_S = 20.0
LATE = "did not answer in time"

Learned = TypeVar("Learned", Seen, Sight)


class PatientDns:
    """Works as LiveDns, for one plan. Time counts while somebody waits; once it is over, nobody waits any more."""

    def __init__(self, live_dns: LiveDns, *, quiet_s: float = QUIET_S, most_s: float = MOST_S) -> None:
        self._live_dns = live_dns
        self._quiet_s = quiet_s
        self._quiet_left_s = quiet_s
        self._left_s = most_s
        self._waiting: set[asyncio.Timeout] = set()
        self._counted_at = 0.0
        self._alarm: asyncio.TimerHandle | None = None

    async def seen(self, zone: str, name: str, record_type: str) -> Seen:
        return await self._within(self._live_dns.seen(zone, name, record_type), Seen(failure=LATE))

    async def resolved(self, name: str, record_type: str) -> Sight:
        return await self._within(self._live_dns.resolved(name, record_type), Sight(server="", failure=LATE))

    async def _within(self, asking: Awaitable[Learned], otherwise: Learned) -> Learned:
        try:
            async with asyncio.timeout(0 if self._is_over else None) as timeout:
                with self._counted(timeout):
                    found = await asking
                    if _is_answer(found):
                        self._count()
                        self._quiet_left_s = self._quiet_s
                    return found
        except TimeoutError:
            return otherwise

    @property
    def _is_over(self) -> bool:
        return min(self._quiet_left_s, self._left_s) <= 0

    @contextmanager
    def _counted(self, timeout: asyncio.Timeout) -> Iterator[None]:
        if not self._waiting:
            self._counted_at = _now()
            self._set_alarm()
        self._waiting.add(timeout)
        try:
            yield
        finally:
            self._waiting.discard(timeout)
            if not self._waiting and self._alarm is not None:
                self._count()
                self._alarm.cancel()

    def _count(self) -> None:
        now = _now()
        passed_s, self._counted_at = now - self._counted_at, now
        self._quiet_left_s -= passed_s
        self._left_s -= passed_s

    def _set_alarm(self) -> None:
        left_s = max(min(self._quiet_left_s, self._left_s), 0.0)
        self._alarm = asyncio.get_running_loop().call_later(left_s, self._ring)

    def _ring(self) -> None:
        self._count()
        if not self._is_over:  # an answer has come meanwhile
            self._set_alarm()
            return
        for timeout in self._waiting:
            if not timeout.expired():  # one that began when it was over already
                timeout.reschedule(0)


def _is_answer(found: Seen | Sight) -> bool:
    """Somebody has answered, whatever they said."""
    sights = found.sights if isinstance(found, Seen) else (found,)
    return any(not sight.failure for sight in sights)


def _now() -> float:
    return asyncio.get_running_loop().time()
