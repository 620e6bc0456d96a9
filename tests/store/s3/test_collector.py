"""Garbage is collected, and nothing else, whatever the order in which writers and collectors take their steps."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.support.object_world import Lost, Sabotage, World

CONTENTS = ("a", "b", "c")


@asynccontextmanager
async def played(seed: int, sabotage: Sabotage = Sabotage.NONE) -> AsyncIterator[World]:
    """Raises Lost."""
    chance = random.Random(seed)
    world = World(chance, sabotage=sabotage)
    writers = [world.writer(chance.choice(CONTENTS)) for _ in range(chance.randrange(2, 12))]
    collectors = [world.collector(chance.randrange(1, 8)) for _ in range(chance.randrange(1, 4))]
    try:
        await world.run([*writers, *collectors])
        yield world
    finally:
        await world.end()


async def is_lost(seed: int, sabotage: Sabotage) -> bool:
    try:
        async with played(seed, sabotage) as world:
            await world.come_to_rest()
    except Lost:
        return True
    return False


@pytest.mark.parametrize("first", range(0, 200, 50))
async def test_no_object_that_a_row_names_is_ever_lost_and_no_other_stays(first: int) -> None:
    deletions = 0
    for seed in range(first, first + 50):
        async with played(seed) as world:
            deletions += world.deletions
            await world.come_to_rest()
            assert world.objects.keys() == {name for name, count in world.rows.items() if count}, seed
    assert deletions > 20


@pytest.mark.parametrize("sabotage", [each for each in Sabotage if each is not Sabotage.NONE])
async def test_without_one_of_its_rules_something_would_be(sabotage: Sabotage) -> None:
    """So the steps above are fine enough to tell."""
    for seed in range(300):
        if await is_lost(seed, sabotage):
            return
    pytest.fail("nothing was")
