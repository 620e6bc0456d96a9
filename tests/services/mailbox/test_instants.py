"""Spans of time are told by blocks; each message must come out as if it were looked at alone."""

from random import Random

import pytest

from mailstack.services.mailbox.instants import BLOCK, Instants


@pytest.mark.parametrize("count", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 5 * BLOCK + 7])
@pytest.mark.parametrize("disorder", [0, 50, 10**6])
def test_within(count: int, disorder: int) -> None:
    chance = Random(count + disorder)
    values = [at + chance.randrange(-disorder, disorder + 1) for at in range(count)]
    instants = Instants()
    for _ in range(20):
        instants.values.extend(values[len(instants.values) : len(instants.values) + chance.randrange(count + 1)])
        first, last = sorted(chance.randrange(-10, count + 10) for _ in range(2))
        known = values[: len(instants.values)]
        assert list(instants.within(first, last)) == [first <= value < last for value in known]


def test_kept() -> None:
    values = list(range(3 * BLOCK))
    instants = Instants(values)
    instants.within(1, 2)
    kept = instants.kept(value % 3 > 0 for value in values)
    left = [value for value in values if value % 3]
    assert list(kept.values) == left
    assert list(kept.within(100, 300)) == [100 <= value < 300 for value in left]
