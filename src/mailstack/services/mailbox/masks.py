"""Sets of messages of one mailbox as masks, an octet a message inside one large integer: and, or and not of 100,000
messages cost a few microseconds.

A Bounds is a set that is not wholly known yet: what is surely in it, and what may be.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import compress

from mailstack.model.message import PlacementTable
from mailstack.model.numset import NumSet
from mailstack.services.mailbox.instants import Instants

_FEW = 16
"""Looking so many numbers up costs as much as going through all that are there, for each message of a mailbox."""


@dataclass(frozen=True, slots=True)
class Bounds:
    certain: int
    possible: int

    @property
    def open(self) -> int:
        return self.possible & ~self.certain

    def __and__(self, other: "Bounds") -> "Bounds":
        return Bounds(self.certain & other.certain, self.possible & other.possible)

    def __or__(self, other: "Bounds") -> "Bounds":
        return Bounds(self.certain | other.certain, self.possible | other.possible)


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """flags: for each message that the table had then, 1 for those that match, else 0."""

    table: PlacementTable
    flags: bytes

    @property
    def here(self) -> "array[int]":
        return self.table.uids

    def uids(self, count: int | None = None) -> "array[int]":
        """Of the first `count`, or all; ascending."""
        flags = self.flags[:count]
        run = _run(flags)
        return array("I", _chosen(self.here, flags)) if run is None else self.here[run.start : run.stop]

    def places(self) -> Sequence[int]:
        """In the table, from 0."""
        run = _run(self.flags)
        return list(_chosen(range(len(self.flags)), self.flags)) if run is None else run

    def numbers(self, count: int) -> list[int]:
        """Beside uids(count): positions, from 1."""
        flags = self.flags[:count]
        run = _run(flags)
        return list(compress(range(1, count + 1), flags) if run is None else range(run.start + 1, run.stop + 1))


class Masks:
    """Of the messages of one table, as many as it has now: a table that others share may grow at its end."""

    def __init__(self, table: PlacementTable) -> None:
        self.table = table
        self._count = len(table)
        self.every = int.from_bytes(b"\1" * self._count, "little")

    @property
    def all(self) -> Bounds:
        return Bounds(self.every, self.every)

    @property
    def none(self) -> Bounds:
        return Bounds(0, 0)

    @property
    def unknown(self) -> Bounds:
        return Bounds(0, self.every)

    def inverse(self, bounds: Bounds) -> Bounds:
        return Bounds(self.every ^ bounds.possible, self.every ^ bounds.certain)

    def matched(self, mask: int) -> Matched:
        return Matched(table=self.table, flags=mask.to_bytes(self._count, "little"))

    def uids(self, mask: int) -> "array[int]":
        return self.matched(mask).uids() if mask else array("I")

    def of_flags(self, answers: Sequence[bool]) -> int:
        """answers: for each of the table's flag sets."""
        if len({*answers}) == 1:
            return self.every if answers[0] else 0
        if len(answers) > 256:
            return self._mask(bytes(map(answers.__getitem__, self.table.flag_numbers)))
        # The low octet of each number stands first or last in it.
        width = self.table.flag_numbers.itemsize
        numbers = self.table.flag_numbers.tobytes()[_LOW_OCTET * (width - 1) :: width]
        return self._mask(numbers.translate(bytes(answers).ljust(256, b"\0")))

    def of_mod_seqs(self, first: int) -> int:
        return self._mask(bytes(map(first.__le__, self.table.mod_seqs)))

    def of_instants(self, instants: Instants, first: int, last: int) -> int:
        """instants: one for each message of the table."""
        return self._mask(instants.within(first, last))

    def of_ranges(self, uids: NumSet) -> int:
        """uids: resolved."""
        flags = bytearray(self._count)
        for first, last in uids.ranges:
            start, stop = bisect_left(self.table.uids, first), bisect_right(self.table.uids, last)
            flags[start:stop] = b"\1" * (stop - start)
        return self._mask(flags)

    def of_uids(self, uids: Sequence[int]) -> int:
        """uids: ascending; those that the table does not have are passed over."""
        if not uids:
            return 0
        here = self.table.uids
        start = bisect_left(here, uids[0])
        if here[start : start + len(uids)] == array("I", uids):
            return self.of_ranges(NumSet(((uids[0], uids[-1]),)))
        if len(uids) * _FEW > len(here):
            return self._mask(bytes(map(set(uids).__contains__, here)))
        flags = bytearray(len(here))
        for uid in uids:
            at = bisect_left(here, uid)
            if at < len(here) and here[at] == uid:
                flags[at] = 1
        return self._mask(flags)

    def _mask(self, flags: bytes | bytearray) -> int:
        """flags: 0 or 1 for each message, and for those that came since."""
        return int.from_bytes(flags[: self._count], "little")


def _run(flags: bytes) -> range | None:
    """Where all that match stand side by side: of dates this is the rule."""
    start, stop = flags.find(1), flags.rfind(1) + 1
    return range(start, stop) if stop - start == flags.count(1) else None


def _chosen(column: Sequence[int], flags: bytes) -> Iterable[int]:
    """Of a column beside the flags."""
    if flags.count(1) * _FEW > len(flags):
        return compress(column, flags)
    return map(column.__getitem__, _places(flags))


def _places(flags: bytes) -> Iterator[int]:
    at = flags.find(1)
    while at >= 0:
        yield at
        at = flags.find(1, at + 1)


_LOW_OCTET = 0 if array("I", [1]).tobytes()[0] else 1
