"""How fast one destination is sent to: connections at once, and when it is left alone for a while.

A destination is a group of exchangers, or a relay: whoever takes the mail of a hundred domains counts us once. Pure;
the runner's places.py goes by it. Each runner has its own, so that a server with two workers opens twice as many
connections: what one learns the other learns at its own next attempt. RFC 5321 §4.5.4.1, §4.3.1 (421).
"""

import re
from dataclasses import dataclass
from typing import Final

from mailstack.model.delivery import Deferred, Failed, Outcome, SmtpReply
from mailstack.model.instant import HOUR_MS, MINUTE_MS, Instant

STORM: Final = 10
"""Recipients put off in a row, by whatever words, after which the rest waits. Fewer are what greylisting looks like."""
STORM_WAIT_MS: Final = MINUTE_MS
LONGEST_STORM_WAIT_MS: Final = 15 * MINUTE_MS
RATE_WAIT_MS: Final = 5 * MINUTE_MS
LONGEST_RATE_WAIT_MS: Final = HOUR_MS
MAX_DOUBLINGS: Final = 10

LONG_AGO: Final = Instant(0)

# What the large providers say of a sender as a whole. Not what concerns one mailbox (4.2.x) or one mail (4.5.3).
_NAMES_A_RATE = re.compile(
    r"rate[ -]?limit|\brate of\b|too (?:many|fast|quickly|much (?:mail|traffic))|slow(?:ing)? down|throttl"
    r"|unexpected volume|unusual (?:rate|volume|amount)|exceeded .{0,40}(?:limit|quota|rate)"
    r"|(?:server|system) (?:is )?busy",
    re.IGNORECASE,
)
_OF_ONE = re.compile(r"4\.2\.|4\.5\.3$")


@dataclass(slots=True)
class Pace:
    """most: connections at once, at best; places: now. until: nothing is sent before. why: what was said when it
    was slowed last."""

    most: int
    places: int
    until: Instant = LONG_AGO
    why: SmtpReply | None = None
    _good: int = 0
    _put_off: int = 0
    _waits: int = 0

    def is_off(self, now: Instant) -> bool:
        # Farther off it is only where the clock was ahead.
        return 0 < self.until - now <= LONGEST_RATE_WAIT_MS

    @property
    def is_plain(self) -> bool:
        """Nothing is to be remembered of it."""
        return self.places == self.most and not self._waits and not self._put_off

    def become(self, most: int) -> None:
        """The spec says otherwise now."""
        self.places = most if self.places == self.most else min(self.places, most)
        self.most = most

    def note(self, outcome: Outcome, now: Instant) -> None:
        """What an attempt came to for one recipient."""
        if isinstance(outcome, Deferred):
            self._deferred(outcome, now)
        elif not (isinstance(outcome, Failed) and (outcome.is_turned_away or not outcome.host)):
            # A mailbox that does not exist is an answer, too: the server is well.
            self._went_well()

    def _went_well(self) -> None:
        self._put_off = self._waits = 0
        self._good += 1
        if self._good >= self.places < self.most:
            self.places, self._good = self.places + 1, 0

    def _deferred(self, outcome: Deferred, now: Instant) -> None:
        # A domain's policy is that domain's affair, and others may have the same exchangers.
        if outcome.is_own_fault or outcome.is_of_policy:
            return
        self._good = 0
        if is_complaint(outcome):
            self.places = 1
            self._leave_alone(outcome.reply, now, RATE_WAIT_MS, LONGEST_RATE_WAIT_MS)
            return
        if outcome.is_turned_away or outcome.reply.code == 421 or not outcome.host:
            self.places = max(1, self.places // 2)
            self.why = self.why if self.is_off(now) else outcome.reply
        self._put_off += 1
        if self._put_off >= STORM and outcome.host:
            self._leave_alone(outcome.reply, now, STORM_WAIT_MS, LONGEST_STORM_WAIT_MS)

    def _leave_alone(self, reply: SmtpReply, now: Instant, first_ms: int, longest_ms: int) -> None:
        """Those that were under way together say it together: it counts once."""
        self._put_off = 0
        if self.is_off(now):
            return
        self.until = Instant(now + min(first_ms << min(self._waits, MAX_DOUBLINGS), longest_ms))
        self.why = reply
        self._waits += 1


def is_complaint(outcome: Outcome) -> bool:
    """A server's: in what we say ourselves, strangers' names may say anything."""
    return isinstance(outcome, Deferred) and bool(outcome.host) and names_a_rate(outcome.reply)


def names_a_rate(reply: SmtpReply) -> bool:
    """That it is we who send too much, whatever the mail."""
    if not 400 <= reply.code < 500 or _OF_ONE.match(reply.status):
        return False
    # Gmail's own code for it.
    return reply.status == "4.7.28" or _NAMES_A_RATE.search(reply.text) is not None
