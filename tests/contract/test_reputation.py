"""ports.reputation on every engine."""

import asyncio

import pytest

from mailstack.model.reputation import Counts
from mailstack.ports.reputation import SubjectVoice
from mailstack.ports.store import Store

ALICE, BOB = 2**63 - 1, -(2**63)
FILTER, SOMEBODY, OTHER = 0, -7, 7

pytestmark = pytest.mark.in_memory


async def add(store: Store, *said: tuple[SubjectVoice, Counts]) -> None:
    await store.reputation.add(dict(said))


async def test_voices_are_added_up(store: Store) -> None:
    assert await store.reputation.find([ALICE, BOB], most=9.0) == {}
    await add(store, ((ALICE, FILTER), Counts(1.0, 0.5)), ((ALICE, SOMEBODY), Counts(0.0, 3.0)))
    await add(store, ((ALICE, FILTER), Counts(0.25, 0.0)), ((BOB, FILTER), Counts(0.0, 8.0)))
    found = await store.reputation.find([ALICE, BOB, 5], most=9.0)
    assert found == {ALICE: Counts(1.25, 3.5), BOB: Counts(0.0, 8.0)}
    assert await store.reputation.find([BOB], most=9.0) == {BOB: Counts(0.0, 8.0)}
    assert await store.reputation.find([], most=9.0) == {}


async def test_no_voice_counts_for_more_than_so_much(store: Store) -> None:
    for _ in range(10):
        await add(store, ((ALICE, SOMEBODY), Counts(0.0, 5.0)), ((ALICE, OTHER), Counts(5.0, 0.0)))
    await add(store, ((ALICE, FILTER), Counts(1.0, 1.0)))
    assert await store.reputation.find([ALICE], most=12.5) == {ALICE: Counts(13.5, 13.5)}


async def test_what_is_taken_back_is_gone(store: Store) -> None:
    await add(store, ((ALICE, SOMEBODY), Counts(0.0, 5.0)), ((ALICE, OTHER), Counts(0.0, 2.0)))
    await add(store, ((ALICE, SOMEBODY), Counts(0.0, -5.0)))
    assert await store.reputation.find([ALICE], most=9.0) == {ALICE: Counts(0.0, 2.0)}


async def test_what_is_taken_back_twice_counts_for_nothing(store: Store) -> None:
    await add(store, ((ALICE, SOMEBODY), Counts(-5.0, -5.0)), ((ALICE, OTHER), Counts(1.0, 2.0)))
    assert await store.reputation.find([ALICE], most=9.0) == {ALICE: Counts(1.0, 2.0)}


@pytest.mark.parametrize("size", [1e-290, 1e290])
async def test_sums_may_be_very_small_or_large(store: Store, size: float) -> None:
    await add(store, ((ALICE, FILTER), Counts(size, 3 * size)), ((ALICE, OTHER), Counts(size, 0.0)))
    assert await store.reputation.find([ALICE], most=2 * size) == {ALICE: Counts(2 * size, 2 * size)}


async def test_who_adds_at_once_adds_all(store: Store) -> None:
    subjects = [1, 2, 3, 4]
    await asyncio.gather(
        *(
            store.reputation.add({(subject, FILTER): Counts(1.0, 2.0) for subject in order})
            for order in (subjects, subjects[::-1]) * 10
        )
    )
    found = await store.reputation.find(subjects, most=100.0)
    assert found == dict.fromkeys(subjects, Counts(20.0, 40.0))


async def test_what_has_faded_is_forgotten(store: Store) -> None:
    await add(store, ((ALICE, FILTER), Counts(1.0, 0.5)), ((BOB, FILTER), Counts(0.0, 1.0)))
    await add(store, ((BOB, SOMEBODY), Counts(-5.0, 0.0)))
    assert await store.reputation.forget(below=0.5) == 1
    assert await store.reputation.forget(below=1.25) == 1
    assert await store.reputation.find([ALICE, BOB], most=9.0) == {ALICE: Counts(1.0, 0.5)}


async def test_of_too_many_those_are_kept_that_weigh_most(store: Store) -> None:
    await store.reputation.add({(number, FILTER): Counts(number / 2, number / 2) for number in range(12_500)})
    assert await store.reputation.bound(12_500) == 0
    assert await store.reputation.bound(500) == 12_000
    found = await store.reputation.find([11_999, 12_000, 12_499], most=1e6)
    assert sorted(found) == [12_000, 12_499]
