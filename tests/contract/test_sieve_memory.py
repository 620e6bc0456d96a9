"""ports.sieve_memory on every engine."""

import asyncio

import pytest

from mailstack.model.ids import AccountId
from mailstack.model.instant import Instant
from mailstack.model.sieve_memory import Purpose
from mailstack.ports.sieve_memory import MOST_KEYS
from mailstack.ports.store import Store

ALICE, BOB = AccountId("a" * 16), AccountId("b" * 16)
ANSWERED, SEEN, TOLD = Purpose
NOW, LATER, LAST = Instant(1_000), Instant(2_000), Instant(3_000)

pytestmark = pytest.mark.in_memory


async def known(store: Store, *keys: str, account_id: AccountId = ALICE, now: Instant = NOW) -> list[str]:
    """For what is SEEN."""
    return [key for key in keys if await store.sieve_memory.is_known(account_id, SEEN, key, now=now)]


async def claim(store: Store, key: str, *, now: Instant = NOW, until: Instant = LATER) -> bool:
    return await store.sieve_memory.claim(ALICE, SEEN, key, now=now, until=until)


async def test_what_is_noted_is_known_until_then(store: Store) -> None:
    assert await known(store, "a") == []
    await store.sieve_memory.note(ALICE, SEEN, [("a", LATER), ("b", LAST)])
    assert await known(store, "a", "b", "A") == ["a", "b"]
    assert await known(store, "a", "b", now=Instant(LATER - 1)) == ["a", "b"]
    assert await known(store, "a", "b", now=LATER) == ["b"]


@pytest.mark.parametrize("key", ["", "a\x00b", "<ü@x>", "\udc80", "x" * 100_000])
async def test_a_key_is_any_text(store: Store, key: str) -> None:
    await store.sieve_memory.note(ALICE, SEEN, [(key, LATER)])
    assert await known(store, key, key + "x") == [key]


@pytest.mark.parametrize(("second", "until"), [(LAST, LAST), (NOW, LATER)])
async def test_what_is_noted_again_lasts_as_long_as_it_would_or_longer(
    store: Store, second: Instant, until: Instant
) -> None:
    await store.sieve_memory.note(ALICE, SEEN, [("a", LATER)])
    await store.sieve_memory.note(ALICE, SEEN, [("a", second)])
    assert await known(store, "a", now=Instant(until - 1)) == ["a"]
    assert await known(store, "a", now=until) == []


async def test_nothing_is_noted(store: Store) -> None:
    await store.sieve_memory.note(ALICE, SEEN, [])
    assert await store.sieve_memory.forget(now=LAST) == 0


async def test_each_account_and_each_purpose_has_its_own(store: Store) -> None:
    await store.sieve_memory.note(ALICE, ANSWERED, [("a", LATER)])
    found = {
        (whose, purpose): await store.sieve_memory.is_known(whose, purpose, "a", now=NOW)
        for whose in (ALICE, BOB)
        for purpose in Purpose
    }
    assert [one for one, is_known in found.items() if is_known] == [(ALICE, ANSWERED)]


async def test_one_claims_until_then(store: Store) -> None:
    assert [await claim(store, "a") for _ in range(3)] == [True, False, False]
    assert await known(store, "a") == ["a"]
    assert not await claim(store, "a", now=Instant(LATER - 1), until=LAST)
    assert [await claim(store, "a", now=LATER, until=LAST) for _ in range(2)] == [True, False]
    assert await known(store, "a", now=LATER) == ["a"]


async def test_what_was_noted_is_not_claimed(store: Store) -> None:
    await store.sieve_memory.note(ALICE, SEEN, [("a", LATER)])
    assert not await claim(store, "a")


async def test_of_many_who_claim_at_once_one_does(store: Store) -> None:
    claims = await asyncio.gather(*(claim(store, key) for key in "ababab" * 5))
    assert claims.count(True) == 2
    again = await asyncio.gather(*(claim(store, "a", now=LATER, until=LAST) for _ in range(10)))
    assert again.count(True) == 1


async def test_who_notes_at_once_keeps_all(store: Store) -> None:
    orders = ["abcdef", "fedcba", "cafebd"]
    await asyncio.gather(
        *(store.sieve_memory.note(ALICE, SEEN, [(key, LATER) for key in order]) for order in orders * 5)
    )
    assert await known(store, *"abcdefg") == list("abcdef")


async def test_of_too_many_those_are_kept_that_last_longest(store: Store) -> None:
    await store.sieve_memory.note(ALICE, SEEN, [(f"{number}", Instant(LATER + number)) for number in range(MOST_KEYS)])
    await store.sieve_memory.note(BOB, SEEN, [("0", LATER)])
    await store.sieve_memory.note(ALICE, TOLD, [("0", LATER)])
    assert await known(store, "0", "1", "2") == ["0", "1", "2"]

    await store.sieve_memory.note(ALICE, SEEN, [("new", Instant(LATER + MOST_KEYS))])
    assert await known(store, "new", "0", "1", "2") == ["new", "1", "2"]
    assert await claim(store, "newer", until=Instant(LATER + MOST_KEYS))
    assert await known(store, "new", "newer", "0", "1", "2") == ["new", "newer", "2"]
    assert await known(store, "0", account_id=BOB) == ["0"]
    assert await store.sieve_memory.is_known(ALICE, TOLD, "0", now=NOW)


async def test_of_too_many_that_end_together_no_more_are_kept(store: Store) -> None:
    for part in range(2):
        keys = [(f"{part} {number}", LATER) for number in range(MOST_KEYS // 2 + 5)]
        await store.sieve_memory.note(ALICE, SEEN, keys)
    assert await store.sieve_memory.forget(now=LATER) == MOST_KEYS


async def test_what_has_ended_is_forgotten_of_all(store: Store) -> None:
    await store.sieve_memory.note(ALICE, SEEN, [(f"{number}", LATER) for number in range(2_500)])
    await store.sieve_memory.note(BOB, TOLD, [("a", LATER), ("b", LAST)])
    assert await store.sieve_memory.forget(now=Instant(LATER - 1)) == 0
    assert await store.sieve_memory.forget(now=LATER) == 2_501
    assert await store.sieve_memory.is_known(BOB, TOLD, "b", now=LATER)
    assert await store.sieve_memory.forget(now=LAST) == 1
