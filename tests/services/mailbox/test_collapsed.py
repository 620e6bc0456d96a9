"""Of each thread the message that comes first."""

import random
from array import array

import pytest

from mailstack.services.mailbox.collapsed import firsts


@pytest.mark.parametrize("seed", range(20))
def test_the_first_of_each_thread_stays_where_it_is(seed: int) -> None:
    chance = random.Random(seed)
    threads = array("q", (chance.randrange(1, 6) for _ in range(chance.randrange(12))))
    order = chance.sample(range(len(threads)), chance.randint(0, len(threads)))
    seen: set[int] = set()
    expected: list[int] = []
    for at in order:
        expected += [] if threads[at] in seen else [at]
        seen.add(threads[at])
    assert firsts(order, threads) == expected


def test_the_newest_first() -> None:
    assert firsts(range(5)[::-1], [1, 2, 1, 3, 2]) == [4, 3, 2]
