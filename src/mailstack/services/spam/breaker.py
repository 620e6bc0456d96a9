"""Leaving alone for a while what does not answer, so that no mail waits for it again and again."""

from dataclasses import dataclass

import structlog

from mailstack.model.instant import MINUTE_MS, Clock, Instant

FAILURES = 3
"""In a row."""
REST_MS = MINUTE_MS

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """What is left alone now. reason: why the last answer failed."""

    name: str
    reason: str
    until: Instant


class Breaker:
    """name: of what is asked, for the log. After its rest it is asked once more, and one more failure lets it rest
    again."""

    def __init__(self, name: str, *, clock: Clock) -> None:
        self._name = name
        self._clock = clock
        self._failures = 0
        self._rests_until = Instant(0)
        self._reason = ""

    @property
    def is_open(self) -> bool:
        """Nothing is to be asked now."""
        return self._clock() < self._rests_until

    @property
    def rests(self) -> tuple[Rest, ...]:
        """None or one."""
        if not self.is_open:
            return ()
        return (Rest(name=self._name, reason=self._reason, until=self._rests_until),)

    def answered(self) -> None:
        if self._failures >= FAILURES:
            log.info("answers again, and is asked for spam", name=self._name)
        self._failures = 0

    def failed(self, reason: str) -> None:
        """Logged where a rest begins, and not each time."""
        self._failures += 1
        if self._failures >= FAILURES and not self.is_open:
            self._reason = reason
            self._rests_until = Instant(self._clock() + REST_MS)
            log.warning("does not answer, and is not asked for spam for a while", name=self._name, reason=reason)
