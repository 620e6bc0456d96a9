"""ports.warm_days on every engine."""

import pytest

from mailstack.model.instant import DAY_MS, Instant
from mailstack.model.warm_up import WarmDay
from mailstack.ports.store import Store


def day(provider: str, number: int, taken: int, troubles: int) -> WarmDay:
    return WarmDay(provider=provider, day=Instant(number * DAY_MS), taken=taken, troubles=troubles)


async def fill(store: Store) -> None:
    for one in (
        day("b.test", 2, 1, 0),
        day("b.test", 1, 4, 1),
        day("a.test", 2, 7, 0),
        day("b.test", 2, 2, 3),
        day("a-b.test", 2, 1, 1),
    ):
        await store.warm_days.add(one)


@pytest.mark.in_memory
async def test_what_is_of_one_day_is_added_up(store: Store) -> None:
    await fill(store)
    assert await store.warm_days.of("b.test", since=Instant(0)) == [day("b.test", 1, 4, 1), day("b.test", 2, 3, 3)]
    assert await store.warm_days.of("b.test", since=Instant(2 * DAY_MS)) == [day("b.test", 2, 3, 3)]
    assert await store.warm_days.of("c.test", since=Instant(0)) == []


@pytest.mark.in_memory
async def test_all_are_told_by_name_and_day(store: Store) -> None:
    await fill(store)
    found = [(one.provider, one.day // DAY_MS) for one in await store.warm_days.all(since=Instant(0))]
    assert found == [("a-b.test", 2), ("a.test", 2), ("b.test", 1), ("b.test", 2)]
    assert len(await store.warm_days.all(since=Instant(2 * DAY_MS))) == 3


@pytest.mark.in_memory
async def test_old_days_are_forgotten(store: Store) -> None:
    await fill(store)
    assert await store.warm_days.forget(before=Instant(2 * DAY_MS)) == 1
    assert await store.warm_days.of("b.test", since=Instant(0)) == [day("b.test", 2, 3, 3)]
