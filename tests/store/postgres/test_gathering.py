"""Writes of one account at the same time share transactions; one that fails takes no other along."""

import asyncio

import pytest

from mailstack.model.errors import NotFound, TryAgainLater
from mailstack.model.ids import AccountId, MailboxId
from mailstack.ports.bus import account_topic
from mailstack.store.postgres import databases, gathering
from mailstack.store.postgres.open import PostgresStore
from tests.support.cutting_proxy import CuttingProxy, Loss
from tests.support.recording_bus import RecordingBus
from tests.support.stores import new_message

INBOX, NOWHERE = MailboxId(1), MailboxId(99)
MANY = 40
COMMITTED = "SELECT SUM(transactions) FROM connection_mark"


async def committed(store: PostgresStore) -> int:
    return int((await store._system.one(COMMITTED))[0])


async def append(store: PostgresStore, account_id: AccountId, number: int, mailbox_id: MailboxId = INBOX) -> int:
    (appended,) = await store.messages.append(account_id, mailbox_id, [new_message(number)])
    return int(appended.uid)


async def test_those_that_come_meanwhile_share_the_next_transaction(
    store: PostgresStore, account_id: AccountId, bus: RecordingBus
) -> None:
    await append(store, account_id, 0)
    bus.published.clear()
    before = await committed(store)
    uids = await asyncio.gather(*(append(store, account_id, number) for number in range(MANY)))
    assert sorted(uids) == list(range(2, MANY + 2))
    transactions = await committed(store) - before
    assert transactions <= 2 + MANY // gathering.MAX_GROUP
    assert bus.published == [account_topic(account_id)] * transactions


async def test_one_that_fails_is_told_alone(store: PostgresStore, account_id: AccountId) -> None:
    places = [NOWHERE if number in (3, 11) else INBOX for number in range(20)]
    outcomes = await asyncio.gather(
        *(append(store, account_id, number, place) for number, place in enumerate(places)), return_exceptions=True
    )
    failed = [number for number, outcome in enumerate(outcomes) if isinstance(outcome, NotFound)]
    assert failed == [3, 11]
    stored = [place.uid for place in await store.messages.placements(account_id, INBOX)]
    assert stored == sorted(outcome for outcome in outcomes if isinstance(outcome, int)) == list(range(1, 19))


@pytest.mark.parametrize("loss", [Loss.REQUEST, Loss.ANSWER])
@pytest.mark.parametrize("after", [0, 5, 12, 13])
async def test_a_group_whose_connection_breaks_is_stored_once(
    store: PostgresStore, account_id: AccountId, proxy: CuttingProxy, loss: Loss, after: int
) -> None:
    await append(store, account_id, 0)
    proxy.lose(loss, after=after)
    uids = await asyncio.gather(*(append(store, account_id, number) for number in range(12)))
    assert sorted(uids) == list(range(2, 14))
    assert [place.uid for place in await store.messages.placements(account_id, INBOX)] == list(range(1, 14))


async def test_a_group_that_cannot_be_written_is_asked_to_come_again_after_one_wait(
    store: PostgresStore, account_id: AccountId, proxy: CuttingProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    await append(store, account_id, 0)
    monkeypatch.setattr(databases, "RETRY_S", 0.5)
    await proxy.close()
    outcomes = await asyncio.gather(
        *(append(store, account_id, number) for number in range(MANY)), return_exceptions=True
    )
    assert all(isinstance(outcome, TryAgainLater) for outcome in outcomes)


async def test_more_than_a_bound_do_not_wait(
    store: PostgresStore, account_id: AccountId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "MAX_PENDING", 5)
    outcomes = await asyncio.gather(
        *(append(store, account_id, number) for number in range(20)), return_exceptions=True
    )
    stored = await store.messages.placements(account_id, INBOX)
    assert len(stored) == sum(not isinstance(outcome, BaseException) for outcome in outcomes) < 20
    assert all(isinstance(outcome, int | TryAgainLater) for outcome in outcomes)
