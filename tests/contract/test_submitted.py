"""ports.submitted on every engine."""

import asyncio

import pytest

from mailstack.model.ids import AccountId
from mailstack.model.instant import Instant
from mailstack.model.sending_limits import Span
from mailstack.ports.store import Store
from mailstack.services.outbound.allowance import Allowance
from tests.support.fake_clock import FakeClock
from tests.support.memory_accounts import make_account

ALICE, BOB = AccountId("a" * 16), AccountId("b" * 16)


@pytest.mark.in_memory
async def test_messages_of_one_span_are_added_up(store: Store) -> None:
    await store.submitted.add(ALICE, began_at=Instant(2_000), recipients=3)
    await store.submitted.add(ALICE, began_at=Instant(1_000), recipients=1)
    await store.submitted.add(ALICE, began_at=Instant(2_000), recipients=100)
    await store.submitted.add(BOB, began_at=Instant(2_000), recipients=7)
    assert await store.submitted.spans(ALICE, since=Instant(0)) == [
        Span(began_at=Instant(1_000), messages=1, recipients=1),
        Span(began_at=Instant(2_000), messages=2, recipients=103),
    ]


async def test_what_comes_at_once_is_all_counted(store: Store) -> None:
    await asyncio.gather(*(store.submitted.add(ALICE, began_at=Instant(1_000), recipients=2) for _ in range(20)))
    assert await store.submitted.spans(ALICE, since=Instant(0)) == [
        Span(began_at=Instant(1_000), messages=20, recipients=40)
    ]


@pytest.mark.in_memory
async def test_workers_that_share_a_store_keep_a_limit_together(store: Store) -> None:
    account = make_account("alice@example.com")
    one, other = (Allowance(store.submitted, clock=FakeClock()) for _ in range(2))

    async def taken() -> None: ...

    assert [(await each.room(account)).recipients for each in (one, other)] == [500, 500]
    await one.counted(account, 300, taken())
    assert (await other.room(account)).recipients == 200
    await other.counted(account, 200, taken())
    assert (await one.room(account)).recipients == 0


@pytest.mark.in_memory
async def test_what_began_before_is_not_told(store: Store) -> None:
    for began_at in (1_000, 2_000):
        await store.submitted.add(ALICE, began_at=Instant(began_at), recipients=1)
    assert await store.submitted.spans(ALICE, since=Instant(2_000)) == [
        Span(began_at=Instant(2_000), messages=1, recipients=1)
    ]
    assert await store.submitted.spans(ALICE, since=Instant(2_001)) == []


@pytest.mark.in_memory
async def test_what_began_before_is_forgotten_of_all(store: Store) -> None:
    for account_id, began_at in ((ALICE, 1_000), (BOB, 1_000), (BOB, 2_000)):
        await store.submitted.add(account_id, began_at=Instant(began_at), recipients=1)
    assert await store.submitted.forget(before=Instant(2_000)) == 2
    assert await store.submitted.spans(ALICE, since=Instant(0)) == []
    assert len(await store.submitted.spans(BOB, since=Instant(0))) == 1
