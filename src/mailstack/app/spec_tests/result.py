"""What became of one test of a spec: the outcome, how it differs from what was expected, and what happened."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from mailstack.spec.faults import Place


class Outcome(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"  # the test could not be carried out: a fault of this program, not of the spec


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """what: the key of `expect` that it is about. expected and found: one line each, "" for nothing."""

    what: str
    expected: str = ""
    found: str = ""

    def __str__(self) -> str:
        if not self.expected:
            return f"{self.what}: not expected: {self.found}"
        return f"{self.what}: expected {self.expected}, found {self.found or 'nothing'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that was said or asked, the answer, and what the directory knew about it."""

    said: str
    answer: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """place: where the spec has the test. story: what happened, in order. trouble: of an error, with its traceback."""

    name: str
    place: Place
    outcome: Outcome
    duration_s: float
    differences: tuple[Difference, ...] = ()
    story: tuple[Step, ...] = ()
    trouble: str = ""


def count(results: Sequence[Result], outcome: Outcome) -> int:
    return sum(result.outcome is outcome for result in results)
