"""What is wrong with a script, where, and what would be right; and what went wrong while one ran."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, slots=True)
class Fault:
    """line, column: from 1. hint: what helps, "" for nothing."""

    line: int
    column: int
    text: str
    hint: str = ""

    @property
    def said(self) -> str:
        return f"{self.text} ({self.hint})" if self.hint else self.text

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.said}"


class Broken(Exception):
    """A script that cannot be compiled: everything that is wrong with it, in its order, as far as could be told."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(map(str, self.faults)))


class Misplaced(Exception):
    """One fault, at an offset into the script; the compiler gives it its line. is_said_once: for a whole script: an
    extension that is missing in `require` makes many of the same."""

    def __init__(self, at: int, text: str, hint: str = "", *, is_said_once: bool = False) -> None:
        super().__init__(text)
        self.is_said_once = is_said_once
        self.at = at
        self.text = text
        self.hint = hint


class RuntimeFault(Exception):
    """A run that cannot go on. RFC 5228 §2.10.6: the implicit keep takes place."""


class OutOfSteps(RuntimeFault):
    """With more of them, it might have ended well."""


def nearest(name: str, names: Iterable[str]) -> str:
    """A hint: the name that was probably meant."""
    found = get_close_matches(name.lower(), list(names), n=1)
    return f"did you mean {found[0]!r}?" if found else ""


def placed(text: str, fault: Misplaced) -> Fault:
    before = text[: fault.at]
    return Fault(before.count("\n") + 1, fault.at - (before.rfind("\n") + 1) + 1, fault.text, fault.hint)
