"""What is known of a sender by the mail that came: how much of it was wanted, how much was junk. It fades. Pure."""

from dataclasses import dataclass
from math import exp2, log

from mailstack.model.instant import DAY_MS, Instant

HALF_LIFE_MS = 30 * DAY_MS
_BEGINNING = Instant(1_767_225_600_000)
"""2026-01-01, for which the weight is 1."""
_MOST_DOUBLINGS = 1_000
"""Eighty years: what a float can hold, and a clock that is far out raises nothing."""
_DOUBT = 2.0
"""Mails of each kind that every sender is taken to have sent before."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Sums of weights. They are only added to, so that it does not matter who adds first, and the same, taken with a
    minus, takes back."""

    ham: float
    spam: float

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.ham + other.ham, self.spam + other.spam)

    def times(self, factor: float) -> "Counts":
        return Counts(self.ham * factor, self.spam * factor)


NO_COUNTS = Counts(0.0, 0.0)


def weight_at(moment: Instant) -> float:
    """Of one mail. It doubles with each half-life: that what was added earlier counts for less needs no write."""
    doublings = (moment - _BEGINNING) / HALF_LIFE_MS
    return exp2(max(-_MOST_DOUBLINGS, min(_MOST_DOUBLINGS, doublings)))


def log_odds(counts: Counts) -> float:
    """counts: in mails of now. Above 0 for junk; near 0 as long as there is little."""
    return log((counts.spam + _DOUBT) / (counts.ham + _DOUBT))
