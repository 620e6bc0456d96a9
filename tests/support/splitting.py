"""The same bytes in other pieces: a machine's answer must not depend on where the network cut."""

import random
from collections.abc import Iterator
from itertools import pairwise


def splits(data: bytes, *, seed: int = 1, random_cuts: int = 8) -> Iterator[list[bytes]]:
    """Whole, byte by byte, and `random_cuts` times at random places."""
    yield [data]
    yield [data[at : at + 1] for at in range(len(data))]
    chance = random.Random(seed)
    for _ in range(random_cuts):
        cuts = sorted(chance.randrange(len(data) + 1) for _ in range(chance.randint(1, 5)))
        edges = [0, *cuts, len(data)]
        yield [data[start:stop] for start, stop in pairwise(edges)]
