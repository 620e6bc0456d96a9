"""When the messages of a view were received, and quickly which of them in a span of time: mail comes nearly in the
order of its dates, so most blocks lie inside or outside as a whole.
"""

from array import array
from collections.abc import Iterable
from itertools import compress

BLOCK = 256


class Instants:
    """values: in the order of the view's table."""

    def __init__(self, values: Iterable[int] = ()) -> None:
        self.values = array("q", values)
        self._extremes: list[tuple[int, int]] = []

    def kept(self, stays: Iterable[bool]) -> "Instants":
        return Instants(compress(self.values, stays))

    def within(self, first: int, last: int) -> bytearray:
        """1 for each in [first, last), else 0."""
        flags = bytearray(len(self.values))
        inside = b"\1" * BLOCK
        for at, (low, high) in enumerate(self._summary()):
            if first <= low and high < last:
                flags[at * BLOCK : (at + 1) * BLOCK] = inside
            elif low < last and first <= high:
                flags[at * BLOCK : (at + 1) * BLOCK] = self._each(at * BLOCK, (at + 1) * BLOCK, first, last)
        rest = len(self._extremes) * BLOCK
        flags[rest:] = self._each(rest, len(self.values), first, last)
        return flags

    def _each(self, start: int, stop: int, first: int, last: int) -> bytes:
        return bytes(first <= value < last for value in self.values[start:stop])

    def _summary(self) -> list[tuple[int, int]]:
        """The earliest and the latest of each whole block."""
        extremes = self._extremes
        for start in range(len(extremes) * BLOCK, len(self.values) - BLOCK + 1, BLOCK):
            block = self.values[start : start + BLOCK]
            extremes.append((min(block), max(block)))
        return extremes
