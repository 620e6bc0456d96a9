"""Of each thread the message that comes first: what a list shows where threads are collapsed. RFC 8621 §4.4.3."""

from collections.abc import Sequence


def firsts(order: Sequence[int], threads: Sequence[int]) -> list[int]:
    """Of the places in this order. threads: by place."""
    last = len(order) - 1
    # The last that a dict is told of a key stays.
    ranks = dict(zip(map(threads.__getitem__, reversed(order)), range(last, -1, -1), strict=True))
    return list(map(order.__getitem__, sorted(ranks.values())))
