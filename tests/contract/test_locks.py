"""ports.locks on every engine."""

from mailstack.model.instant import DAY_MS, Instant
from mailstack.ports.store import Store


async def test_a_lease_is_given_to_one_owner_until_it_ends(store: Store) -> None:
    assert await store.locks.acquire("renewal", "one", now=Instant(100), until=Instant(200))
    assert not await store.locks.acquire("renewal", "two", now=Instant(199), until=Instant(300))
    assert await store.locks.acquire("renewal", "two", now=Instant(200), until=Instant(300))
    assert not await store.locks.acquire("renewal", "one", now=Instant(250), until=Instant(300))


async def test_ones_own_lease_is_renewed(store: Store) -> None:
    assert await store.locks.acquire("renewal", "one", now=Instant(100), until=Instant(200))
    assert await store.locks.acquire("renewal", "one", now=Instant(150), until=Instant(400))
    assert not await store.locks.acquire("renewal", "two", now=Instant(399), until=Instant(500))


async def test_a_lease_that_a_clock_far_ahead_has_taken_binds_nobody(store: Store) -> None:
    year = 365 * DAY_MS
    assert await store.locks.acquire("renewal", "ahead", now=Instant(year + 100), until=Instant(year + 200))
    assert await store.locks.acquire("renewal", "one", now=Instant(100), until=Instant(200))
    assert not await store.locks.acquire("renewal", "two", now=Instant(101), until=Instant(201))


async def test_a_clock_that_is_a_little_behind_takes_no_lease_from_its_owner(store: Store) -> None:
    assert await store.locks.acquire("renewal", "one", now=Instant(150), until=Instant(250))
    assert not await store.locks.acquire("renewal", "two", now=Instant(100), until=Instant(200))
    assert not await store.locks.acquire("renewal", "two", now=Instant(50), until=Instant(150))
    assert await store.locks.acquire("renewal", "two", now=Instant(49), until=Instant(149))


async def test_who_holds_a_lease_is_told_until_it_ends(store: Store) -> None:
    assert await store.locks.holder("renewal", now=Instant(1)) == ""
    await store.locks.acquire("renewal", "one", now=Instant(100), until=Instant(200))
    assert await store.locks.holder("renewal", now=Instant(199)) == "one"
    assert await store.locks.holder("renewal", now=Instant(200)) == ""


async def test_release_frees_ones_own_and_nobody_elses(store: Store) -> None:
    await store.locks.acquire("renewal", "one", now=Instant(100), until=Instant(200))
    await store.locks.release("renewal", "two")
    assert not await store.locks.acquire("renewal", "two", now=Instant(101), until=Instant(300))
    await store.locks.release("renewal", "one")
    assert await store.locks.acquire("renewal", "two", now=Instant(102), until=Instant(300))


async def test_names_are_apart(store: Store) -> None:
    assert await store.locks.acquire("one", "a", now=Instant(1), until=Instant(9))
    assert await store.locks.acquire("two", "b", now=Instant(1), until=Instant(9))
