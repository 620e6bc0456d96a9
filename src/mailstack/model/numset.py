"""Sets of message numbers and UIDs as ranges. RFC 9051 §9: sequence-set.

`*` means the largest number in use, so a set is resolved against a mailbox before it is walked.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

STAR = 0
"""Stands for `*`: no message has the number 0."""


@dataclass(frozen=True, slots=True)
class NumSet:
    """ranges: (first, last) pairs as the client wrote them; either end may be STAR and first may be above last."""

    ranges: tuple[tuple[int, int], ...]

    def resolved(self, largest: int) -> "NumSet":
        """Ascending, disjoint, without STAR. RFC 9051 §9: 4:2 is 2:4, and *:n always holds the largest."""
        pairs = []
        for first, last in self.ranges:
            low, high = first or largest, last or largest
            pairs.append((low, high) if low <= high else (high, low))
        return NumSet(_merged(pairs))

    def __contains__(self, number: int) -> bool:
        """For a resolved set."""
        at = bisect_right(self.ranges, (number, 1 << 62)) - 1
        return at >= 0 and self.ranges[at][0] <= number <= self.ranges[at][1]

    def __bool__(self) -> bool:
        return bool(self.ranges)

    def __str__(self) -> str:
        return ",".join(
            _number(first) if first == last else f"{_number(first)}:{_number(last)}" for first, last in self.ranges
        )

    def __iter__(self) -> Iterator[int]:
        """For a resolved set; beware of 1:4294967295."""
        for first, last in self.ranges:
            yield from range(first, last + 1)

    def count(self) -> int:
        """For a resolved set."""
        return sum(last - first + 1 for first, last in self.ranges)

    def above(self, number: int) -> "NumSet":
        """The part of a resolved set that lies above this number."""
        return NumSet(tuple((max(first, number + 1), last) for first, last in self.ranges if last > number))

    def select(self, ascending: Sequence[int]) -> list[int]:
        """Those of `ascending` that a resolved set holds, in time linear in the answer."""
        chosen: list[int] = []
        for first, last in self.ranges:
            chosen.extend(ascending[bisect_left(ascending, first) : bisect_right(ascending, last)])
        return chosen


def numset_of(numbers: Iterable[int]) -> NumSet:
    """The shortest set of these numbers."""
    ordered = sorted(numbers)
    if not ordered:
        return NumSet(())
    # Of a hundred thousand numbers nearly all follow their neighbours: only the gaps are worth a Python object.
    breaks = [at for at, (before, after) in enumerate(pairwise(ordered), start=1) if after - before > 1]
    starts, lasts = (0, *breaks), (*(at - 1 for at in breaks), -1)
    return NumSet(tuple([(ordered[start], ordered[last]) for start, last in zip(starts, lasts, strict=True)]))


def _merged(pairs: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    merged: list[tuple[int, int]] = []
    for low, high in sorted(pairs):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], high))
        else:
            merged.append((low, high))
    return tuple(merged)


def _number(number: int) -> str:
    return "*" if number == STAR else str(number)
