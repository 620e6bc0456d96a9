"""ports.acquaintances on every engine."""

import asyncio

import pytest

from mailstack.model.acquaintance import Acquaintance, Tie
from mailstack.model.ids import AccountId
from mailstack.model.instant import Instant
from mailstack.ports.acquaintances import MOST_KEYS
from mailstack.ports.store import Store

ALICE, BOB = AccountId("a" * 16), AccountId("b" * 16)
WRITTEN, HEARD, SENT = Tie
LOWEST, HIGHEST = -(2**63), 2**63 - 1
NOW, LATER, LAST = Instant(1_000), Instant(2_000), Instant(3_000)

pytestmark = pytest.mark.in_memory


async def note(store: Store, tie: Tie, *keys: int, whose: AccountId = ALICE, until: Instant = LATER) -> None:
    await store.acquaintances.note({Acquaintance(whose, tie, key): until for key in keys})


async def found(store: Store, *keys: int, whose: AccountId = ALICE, now: Instant = NOW) -> list[tuple[Tie, int]]:
    known = await store.acquaintances.find(whose, keys, now=now)
    assert {one.account_id for one in known} <= {whose}
    return sorted((one.tie, one.key) for one in known)


async def test_what_is_noted_is_known_until_then(store: Store) -> None:
    assert await found(store, 1) == []
    await note(store, WRITTEN, 1, LOWEST, HIGHEST)
    await note(store, HEARD, 1, until=LAST)
    assert await found(store, 1, 2, LOWEST, HIGHEST) == [
        (HEARD, 1),
        (WRITTEN, LOWEST),
        (WRITTEN, 1),
        (WRITTEN, HIGHEST),
    ]
    assert await found(store, 1, now=Instant(LATER - 1)) == [(HEARD, 1), (WRITTEN, 1)]
    assert await found(store, 1, now=LATER) == [(HEARD, 1)]
    assert await found(store, now=NOW) == []


async def test_each_account_has_its_own(store: Store) -> None:
    await note(store, SENT, 1)
    assert await found(store, 1, whose=BOB) == []
    await note(store, SENT, 1, whose=BOB)
    assert await found(store, 1, whose=BOB) == [(SENT, 1)]


@pytest.mark.parametrize(("second", "until"), [(LAST, LAST), (NOW, LATER)])
async def test_what_is_noted_again_lasts_as_long_as_it_would_or_longer(
    store: Store, second: Instant, until: Instant
) -> None:
    await note(store, HEARD, 1)
    await note(store, HEARD, 1, until=second)
    assert await found(store, 1, now=Instant(until - 1)) == [(HEARD, 1)]
    assert await found(store, 1, now=until) == []


async def test_nothing_is_noted(store: Store) -> None:
    await store.acquaintances.note({})
    assert await store.acquaintances.forget(now=LAST) == 0


async def test_who_notes_at_once_keeps_all(store: Store) -> None:
    orders = [(1, 2, 3), (3, 2, 1), (2, 3, 1)]
    await asyncio.gather(*(note(store, HEARD, *order) for order in orders * 5))
    assert await found(store, 1, 2, 3, 4) == [(HEARD, 1), (HEARD, 2), (HEARD, 3)]


async def test_they_part(store: Store) -> None:
    await note(store, WRITTEN, 1, 2)
    await note(store, HEARD, 1)
    await note(store, HEARD, 1, whose=BOB)
    await store.acquaintances.part(ALICE, 1)
    assert await found(store, 1, 2) == [(WRITTEN, 2)]
    assert await found(store, 1, whose=BOB) == [(HEARD, 1)]


async def test_of_too_many_those_are_kept_that_last_longest(store: Store) -> None:
    met = {Acquaintance(ALICE, HEARD, number): Instant(LATER + number) for number in range(MOST_KEYS)}
    await store.acquaintances.note(met)
    await note(store, WRITTEN, 0)
    await note(store, HEARD, 0, whose=BOB)
    assert await found(store, 0, 1) == [(HEARD, 0), (HEARD, 1), (WRITTEN, 0)]
    await note(store, HEARD, HIGHEST, until=Instant(LATER + MOST_KEYS))
    assert await found(store, 0, 1, HIGHEST) == [(HEARD, 1), (HEARD, HIGHEST), (WRITTEN, 0)]
    assert await found(store, 0, whose=BOB) == [(HEARD, 0)]


async def test_of_too_many_that_end_together_no_more_are_kept(store: Store) -> None:
    await note(store, SENT, *range(MOST_KEYS + 5))
    assert await store.acquaintances.forget(now=LATER) == MOST_KEYS


async def test_what_has_ended_is_forgotten_of_all(store: Store) -> None:
    await note(store, HEARD, *range(2_500))
    await note(store, SENT, 1, whose=BOB)
    await note(store, SENT, 2, whose=BOB, until=LAST)
    assert await store.acquaintances.forget(now=Instant(LATER - 1)) == 0
    assert await store.acquaintances.forget(now=LATER) == 2_501
    assert await found(store, 1, 2, whose=BOB, now=LATER) == [(SENT, 2)]
