"""Who parts with how many connections of a peer that holds more than its limit over the workers of all nodes.

Each worker finds out for itself, from what all of them told. Connections stand in one order: the first of every worker,
then the second of every worker, and so on, each worker's oldest first; those beyond the limit go. So whoever decides
late finds the same as whoever decided early, also when some have parted with theirs already: nobody is asked twice, and
those within the limit stay.
"""

from collections.abc import Mapping


def surplus_of(worker: str, holders: Mapping[str, int], limit: int) -> int:
    """How many of its newest connections a worker parts with. holders: connections by worker, of one peer."""
    own = holders.get(worker, 0)
    full = _full_rounds(holders, limit)
    if own <= full:
        return 0
    left = limit - sum([min(count, full) for count in holders.values()])
    earlier = sum([count > full and name < worker for name, count in holders.items()])
    return own - full - (1 if earlier < left else 0)


def _full_rounds(holders: Mapping[str, int], limit: int) -> int:
    """As many connections as every worker may keep, of those that have so many."""
    left, rounds = limit, 0
    counts = sorted(holders.values())
    for at, count in enumerate(counts):
        those = len(counts) - at
        if (count - rounds) * those > left:
            return rounds + left // those
        left -= (count - rounds) * those
        rounds = count
    return rounds
