"""Where numbers stand in ascending arrays of UIDs. Runs are found by bisection and compared as slices: a mailbox of
100,000 messages is walked by C, not number by number."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import compress

from mailstack.model.numset import NumSet

SPARSE = 16
"""Fewer than one wanted number in so many: each is looked up for itself."""


def place_of(uids: "array[int]", uid: int, count: int) -> int:
    """Among the first `count`; -1 when it is not there."""
    at = bisect_left(uids, uid, 0, count)
    return at if at < count and uids[at] == uid else -1


def places_of(uids: "array[int]", wanted: Sequence[int], count: int) -> Sequence[int]:
    """Places of those of the ascending `wanted` that are among the first `count`, ascending."""
    if not wanted:
        return ()
    start = bisect_left(uids, wanted[0], 0, count)
    stop = bisect_right(uids, wanted[-1], start, count)
    if stop - start == len(wanted) and uids[start:stop] == array("I", wanted):
        return range(start, stop)
    if len(wanted) * SPARSE < stop - start:
        return [at for uid in wanted if (at := place_of(uids, uid, count)) >= 0]
    known = frozenset(wanted)
    return list(compress(range(start, stop), map(known.__contains__, uids[start:stop])))


def uid_spans(uids: "array[int]", resolved: NumSet, count: int) -> list[tuple[int, int]]:
    """Places from, to (excluded) of each range that has any."""
    spans = [
        (bisect_left(uids, first, 0, count), bisect_right(uids, last, 0, count)) for first, last in resolved.ranges
    ]
    return [span for span in spans if span[0] < span[1]]


def absent(uids: "array[int]", asked: NumSet, count: int) -> NumSet:
    """What of a resolved set is not among the first `count`."""
    ranges: list[tuple[int, int]] = []
    for first, last in asked.ranges:
        start = first
        for uid in uids[bisect_left(uids, first, 0, count) : bisect_right(uids, last, 0, count)]:
            if start < uid:
                ranges.append((start, uid - 1))
            start = uid + 1
        if start <= last:
            ranges.append((start, last))
    return NumSet(tuple(ranges))
