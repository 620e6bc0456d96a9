"""What speaks for and against a mail being spam, what that comes to, and what is done with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """rule: its name, lower case with hyphens, as headers, the spec and docs/spam.md have it. points: above 0 for spam.
    why: for people, of this mail: printable and on one line, "" where the rule's own words say all."""

    rule: str
    points: float
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Score:
    """Of one mail for one account. findings: all that count, in the order in which they were made. virus: the name of
    the one that was found, "" for none. keeps_virus: mail that has one goes to Junk; else it is refused.
    is_virus_checked: somebody has looked for one in all of it."""

    findings: Sequence[Finding]
    virus: str = ""
    keeps_virus: bool = False
    is_virus_checked: bool = False

    @cached_property
    def points(self) -> float:
        """To a tenth, so that what is shown is what counts."""
        return round(sum(finding.points for finding in self.findings), 1)


JUNK_AT, REJECT_AT = 5.0, 15.0
SPAM_TENTHS = "vnd.mailstack.spam-tenths"
"""RFC 5183 §4.1: what scripts ask for by `environment`: tenths of points, 0 for none and below. Where nobody has
looked, there is no such item."""
_JUNK_PERCENT = 50.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SpamPolicy:
    """What is done for one account, a domain or the server. is_scored: else nobody looks whether it is spam. junk_at,
    reject_at: from so many points on, mail goes to Junk, and is refused; None: never. allow, block: addresses, domains
    and networks, as spam.allow_block has them."""

    is_scored: bool = True
    junk_at: float | None = JUNK_AT
    reject_at: float | None = REJECT_AT
    allow: tuple[str, ...] = ()
    block: tuple[str, ...] = ()


DEFAULT_POLICY = SpamPolicy()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What becomes of one mail for one account."""

    score: Score
    policy: SpamPolicy

    @property
    def is_junk(self) -> bool:
        return self.is_refused or bool(self.score.virus) or _is_over(self.policy.junk_at, self.score.points)

    @property
    def is_refused(self) -> bool:
        is_virus_refused = bool(self.score.virus) and not self.score.keeps_virus
        return is_virus_refused or _is_over(self.policy.reject_at, self.score.points)

    @property
    def percent(self) -> float:
        """RFC 5235 §2.2.1: 0 is surely none, 100 surely spam. Junk begins at 50, and what is refused has 100; where
        either is never, as if it were as it is by default."""
        junk = JUNK_AT if self.policy.junk_at is None else self.policy.junk_at
        refused = max(REJECT_AT, 3 * junk) if self.policy.reject_at is None else self.policy.reject_at
        points = self.score.points
        if self.is_refused:
            return 2 * _JUNK_PERCENT
        if points < junk or refused <= junk:
            return _JUNK_PERCENT * min(max(points / junk, 0.0), 1.0)
        return _JUNK_PERCENT * min(1 + (points - junk) / (refused - junk), 2.0)


def _is_over(threshold: float | None, points: float) -> bool:
    return threshold is not None and points >= threshold
