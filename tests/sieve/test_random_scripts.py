"""The fuzz targets of Sieve, for a few hundred inputs that are always the same ones.

Random scripts over random mail end within the budget, and lose nothing; `make fuzz` tries more of them.
"""

import random

import pytest

from tests.fuzz.__main__ import mutated
from tests.fuzz.target import Target
from tests.fuzz.targets_sieve import TARGETS

RUNS = 200


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_a_target_holds(target: Target) -> None:
    chance = random.Random(target.name)
    for _ in range(RUNS):
        target.run(mutated(chance.choice(target.seeds), chance))
