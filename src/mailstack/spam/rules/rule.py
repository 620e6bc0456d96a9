"""What a rule is, and what those that hold of a mail come to."""

from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeAlias

from mailstack.model.spam import Finding
from mailstack.spam.rules.evidence import Evidence

MAX_POINTS = 6.0
"""Of a rule of ours: none refuses a mail by itself."""
_MAX_DETAIL = 120

Test: TypeAlias = Callable[[Evidence], bool | str]
"""Whether it holds; or what of this mail makes it hold, "" where nothing does."""


class Rule(NamedTuple):
    """why: for people. about: of several rules about one thing the first that holds counts, and no other."""

    name: str
    points: float
    why: str
    test: Test
    about: str = ""


def findings_of(rules: Iterable[Rule], mail: Evidence) -> tuple[Finding, ...]:
    found: list[Finding] = []
    settled: set[str] = set()
    for rule in rules:
        if rule.about in settled:
            continue
        told = rule.test(mail)
        if not told:
            continue
        if rule.about:
            settled.add(rule.about)
        why = f"{rule.why}: {printable(told)}" if isinstance(told, str) else rule.why
        found.append(Finding(rule=rule.name, points=rule.points, why=why))
    return tuple(found)


def printable(text: str) -> str:
    """What strangers wrote, on one line, of a length to be read."""
    shown = text[:_MAX_DETAIL]
    if not shown.isprintable():
        shown = "".join(letter if letter.isprintable() else "?" for letter in shown)
    return f"{shown}…" if len(text) > _MAX_DETAIL else shown
