"""ports.push_subscriptions on every engine."""

import asyncio
from dataclasses import replace

import pytest

from mailstack.model.errors import NotFound, TooMany
from mailstack.model.ids import AccountId, PushId
from mailstack.model.instant import Instant
from mailstack.model.push import (
    UNTOLD,
    PushChange,
    PushProgress,
    PushStage,
    PushSubscription,
    head_of,
)
from mailstack.model.states import StateType
from mailstack.ports.bus import PUSH_TOPIC
from mailstack.ports.store import Store
from tests.support.push import push_subscription
from tests.support.recording_bus import RecordingBus
from tests.support.stores import make_account

NOW, LATER = Instant(1_000), Instant(9_000)


def subscription(account_id: AccountId, push_id: str = "p1", *, credential: str = "c1") -> PushSubscription:
    return push_subscription(account_id, push_id, credential=credential, expires_at=LATER)


async def add(store: Store, *subscriptions: PushSubscription, at_most: int = 9) -> None:
    for each in subscriptions:
        await store.push_subscriptions.add(each, now=NOW, at_most=at_most)


async def ids(store: Store, account_id: AccountId, *, now: Instant = NOW) -> list[str]:
    return [each.push_id for each, _ in await store.push_subscriptions.of_account(account_id, now=now)]


async def test_what_was_added_is_found_as_it_was(store: Store, account_id: AccountId, bus: RecordingBus) -> None:
    whole = subscription(account_id)
    plain = replace(whole, push_id=PushId("p2"), keys=None, types=None)
    assert not await store.push_subscriptions.has_any(now=NOW)
    await add(store, whole, plain)
    assert {*await store.push_subscriptions.heads(now=NOW)} == {head_of(whole), head_of(plain)}
    assert await store.push_subscriptions.of_credential(account_id, "c1", now=NOW) == [whole, plain]
    assert await store.push_subscriptions.of_account(account_id, now=NOW) == [(whole, UNTOLD), (plain, UNTOLD)]
    assert bus.published.count(PUSH_TOPIC) == 2


async def test_each_credential_sees_its_own(store: Store, account_id: AccountId) -> None:
    other = await make_account(store, "bob@example.com")
    await add(
        store, subscription(account_id), subscription(account_id, "p2", credential="c2"), subscription(other, "p3")
    )
    (found,) = await store.push_subscriptions.of_credential(account_id, "c2", now=NOW)
    assert found.push_id == "p2"
    assert await ids(store, account_id) == ["p1", "p2"]


async def test_there_are_at_most_so_many(store: Store, account_id: AccountId) -> None:
    await add(store, subscription(account_id), subscription(account_id, "p2"))
    with pytest.raises(TooMany):
        await add(store, subscription(account_id, "p3"), at_most=2)
    await store.push_subscriptions.add(
        replace(subscription(account_id, "p3"), expires_at=Instant(20_000)), now=LATER, at_most=2
    )
    assert await ids(store, account_id, now=LATER) == ["p3"], "what has ended does not count"


async def test_who_comes_at_once_gets_no_more(store: Store, account_id: AccountId) -> None:
    wanted = [add(store, subscription(account_id, f"p{number}"), at_most=3) for number in range(8)]
    found = await asyncio.gather(*wanted, return_exceptions=True)
    assert [type(each) for each in found].count(TooMany) == 5
    assert len(await ids(store, account_id)) == 3


async def test_nobody_has_one_without_an_account(store: Store) -> None:
    with pytest.raises(NotFound):
        await add(store, subscription(AccountId("f" * 16)))


async def test_what_has_ended_is_not_there_and_is_forgotten(store: Store, account_id: AccountId) -> None:
    await add(store, subscription(account_id), replace(subscription(account_id, "p2"), expires_at=Instant(10_000)))
    assert await ids(store, account_id, now=LATER) == ["p2"]
    assert await store.push_subscriptions.has_any(now=LATER)
    assert not await store.push_subscriptions.has_any(now=Instant(10_000))
    assert await store.push_subscriptions.forget(now=LATER) == 1
    assert await ids(store, account_id) == ["p2"]


async def test_it_is_changed_by_who_made_it(store: Store, account_id: AccountId, bus: RecordingBus) -> None:
    await add(store, subscription(account_id))
    change = PushChange(is_verified=True, types=None, expires_at=Instant(8_000))
    with pytest.raises(NotFound):
        await store.push_subscriptions.change(account_id, "c2", PushId("p1"), change)
    with pytest.raises(NotFound):
        await store.push_subscriptions.change(AccountId("f" * 16), "c1", PushId("p1"), change)
    bus.published.clear()
    await store.push_subscriptions.change(account_id, "c1", PushId("p1"), change)
    assert bus.published == [PUSH_TOPIC]
    (found,) = await store.push_subscriptions.of_credential(account_id, "c1", now=NOW)
    assert found == replace(subscription(account_id), stage=PushStage.VERIFIED, types=None, expires_at=Instant(8_000))
    await store.push_subscriptions.change(account_id, "c1", PushId("p1"), replace(change, is_verified=False))
    (found,) = await store.push_subscriptions.of_credential(account_id, "c1", now=NOW)
    assert found.stage is PushStage.VERIFIED, "what was proved stays so"


async def test_it_is_removed_by_who_made_it(store: Store, account_id: AccountId, bus: RecordingBus) -> None:
    await add(store, subscription(account_id), subscription(account_id, "p2", credential="c2"))
    with pytest.raises(NotFound):
        await store.push_subscriptions.remove(account_id, "c1", PushId("p2"))
    bus.published.clear()
    await store.push_subscriptions.remove(account_id, "c1", PushId("p1"))
    assert bus.published == [PUSH_TOPIC]
    assert await ids(store, account_id) == ["p2"]
    with pytest.raises(NotFound):
        await store.push_subscriptions.remove(account_id, "c1", PushId("p1"))


async def test_how_far_it_has_come_is_kept(store: Store, account_id: AccountId) -> None:
    await add(store, subscription(account_id), subscription(account_id, "p2"))
    progress = PushProgress(
        pushed={account_id: {StateType.EMAIL: "7", StateType.QUOTA: "none"}}, failures=2, next_at=Instant(5_000)
    )
    notes = {PushId("p1"): (PushStage.ASKED, progress), PushId("gone"): (PushStage.ASKED, progress)}
    await store.push_subscriptions.note(notes)
    (first, second) = await store.push_subscriptions.of_account(account_id, now=NOW)
    assert first == (replace(subscription(account_id), stage=PushStage.ASKED), progress)
    assert second[1] == UNTOLD


async def test_a_stage_never_goes_back(store: Store, account_id: AccountId) -> None:
    await add(store, subscription(account_id))
    change = PushChange(is_verified=True, types=None, expires_at=LATER)
    await store.push_subscriptions.change(account_id, "c1", PushId("p1"), change)
    await store.push_subscriptions.note({PushId("p1"): (PushStage.ASKED, UNTOLD)})
    ((found, _),) = await store.push_subscriptions.of_account(account_id, now=NOW)
    assert found.stage is PushStage.VERIFIED


async def test_some_are_dropped_whoever_made_them(store: Store, account_id: AccountId) -> None:
    await add(store, *(subscription(account_id, f"p{number}", credential=f"c{number}") for number in range(3)))
    await store.push_subscriptions.drop([PushId("p0"), PushId("p2"), PushId("gone")])
    assert await ids(store, account_id) == ["p1"]
