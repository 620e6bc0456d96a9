"""What is due is looked after by one node of all, and by another once that one is gone."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mailstack.app.silence import Silence
from mailstack.app.upkeep_turn import AHEAD_MS, LONGEST_MS, WORK_MS, keep_upkeep, leave_upkeep, take_upkeep
from mailstack.model.instant import DAY_MS, MINUTE_MS, Instant
from mailstack.ports.locks import Locks
from mailstack.store.sqlite.open import open_store
from tests.support.fake_clock import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def locks(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Locks]:
    store = await open_store(tmp_path, clock=clock, bus=Silence())
    yield store.locks
    await store.close()


async def test_one_of_two_nodes_looks_and_keeps_looking(locks: Locks, clock: FakeClock) -> None:
    for _ in range(5):
        assert await take_upkeep(locks, "one", now=clock())
        assert not await take_upkeep(locks, "two", now=clock())
        again_at = Instant(clock() + 15 * MINUTE_MS)
        await keep_upkeep(locks, "one", now=clock(), again_at=again_at)
        clock.advance(15 * MINUTE_MS)
        assert not await take_upkeep(locks, "two", now=clock())


async def test_a_node_may_look_again_sooner_than_it_said(locks: Locks, clock: FakeClock) -> None:
    assert await take_upkeep(locks, "one", now=clock())
    await keep_upkeep(locks, "one", now=clock(), again_at=None)
    assert await take_upkeep(locks, "one", now=clock())


async def test_a_node_that_dies_at_work_is_followed_by_another(locks: Locks, clock: FakeClock) -> None:
    assert await take_upkeep(locks, "one", now=clock())
    clock.advance(WORK_MS)
    assert await take_upkeep(locks, "two", now=clock())


async def test_a_node_that_dies_later_is_followed_soon_whatever_was_due_when(locks: Locks, clock: FakeClock) -> None:
    assert await take_upkeep(locks, "one", now=clock())
    await keep_upkeep(locks, "one", now=clock(), again_at=Instant(clock() + 60 * DAY_MS))
    assert not await take_upkeep(locks, "two", now=clock())
    clock.advance(LONGEST_MS - 1)
    assert not await take_upkeep(locks, "two", now=clock())
    clock.advance(1)
    assert await take_upkeep(locks, "two", now=clock())


async def test_what_failed_here_another_may_try(locks: Locks, clock: FakeClock) -> None:
    assert await take_upkeep(locks, "one", now=clock())
    await leave_upkeep(locks, "one")
    assert await take_upkeep(locks, "two", now=clock())


async def test_what_is_due_at_once_keeps_the_others_away_for_a_moment(locks: Locks, clock: FakeClock) -> None:
    assert await take_upkeep(locks, "one", now=clock())
    await keep_upkeep(locks, "one", now=clock(), again_at=Instant(clock() - DAY_MS))
    clock.advance(AHEAD_MS - 1)
    assert not await take_upkeep(locks, "two", now=clock())
