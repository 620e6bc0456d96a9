"""ports.unsubscribed on every engine."""

import pytest

from mailstack.model.instant import Instant
from mailstack.ports.store import Store
from tests.support.stores import account_resource, apply, created, moved

TEAM, NEWS = "team@example.com", "news@example.com"
ALICE, BOB = "alice@example.com", "bob@elsewhere.example"


@pytest.mark.in_memory
async def test_who_left_is_known_with_the_moment_and_of_that_list_alone(store: Store) -> None:
    assert await store.unsubscribed.add(TEAM, BOB, now=Instant(2_000))
    assert await store.unsubscribed.add(TEAM, ALICE, now=Instant(1_000))
    assert await store.unsubscribed.members(TEAM) == {ALICE: 1_000, BOB: 2_000}
    assert await store.unsubscribed.members(NEWS) == {}


@pytest.mark.in_memory
async def test_leaving_twice_changes_nothing(store: Store) -> None:
    await store.unsubscribed.add(TEAM, BOB, now=Instant(1_000))
    assert not await store.unsubscribed.add(TEAM, BOB, now=Instant(2_000))
    assert await store.unsubscribed.members(TEAM) == {BOB: 1_000}


@pytest.mark.in_memory
async def test_who_comes_back_may_leave_again(store: Store) -> None:
    assert not await store.unsubscribed.remove(TEAM, BOB)
    await store.unsubscribed.add(TEAM, BOB, now=Instant(1_000))
    await store.unsubscribed.add(NEWS, BOB, now=Instant(1_000))
    assert await store.unsubscribed.remove(TEAM, BOB)
    assert await store.unsubscribed.members(TEAM) == {}
    assert await store.unsubscribed.members(NEWS) == {BOB: 1_000}
    assert await store.unsubscribed.add(TEAM, BOB, now=Instant(3_000))
    assert await store.unsubscribed.members(TEAM) == {BOB: 3_000}


async def test_an_account_that_moves_has_left_by_its_new_name(store: Store) -> None:
    robert = account_resource("robert@example.com")
    await apply(store, created(account_resource(ALICE)))
    await store.unsubscribed.add(TEAM, ALICE, now=Instant(1_000))
    await apply(store, moved(robert, ALICE))
    assert await store.unsubscribed.members(TEAM) == {robert.name: 1_000}
    await store.unsubscribed.add(TEAM, ALICE, now=Instant(2_000))
    await apply(store, moved(account_resource(ALICE), robert.name))
    assert await store.unsubscribed.members(TEAM) == {ALICE: 2_000}
