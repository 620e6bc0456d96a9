"""What speaks for and against a mail being spam, and what that comes to."""

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
    the one that was found, "" for none."""

    findings: Sequence[Finding]
    virus: str = ""

    @cached_property
    def points(self) -> float:
        """To a tenth, so that what is shown is what counts."""
        return round(sum(finding.points for finding in self.findings), 1)
