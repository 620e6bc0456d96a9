"""Compaction of the change log."""

import pytest

from mailstack.model.errors import Conflict
from mailstack.model.ids import AccountId, MailboxId, ModSeq
from mailstack.model.instant import DAY_MS
from mailstack.store.sqlite.open import SqliteStore
from tests.support.fake_clock import FakeClock
from tests.support.stores import new_message

INBOX = MailboxId(1)


async def test_what_is_older_than_30_days_is_forgotten_and_the_floor_remembered(
    store: SqliteStore, account_id: AccountId, clock: FakeClock
) -> None:
    (old,) = await store.messages.append(account_id, INBOX, [new_message(1)])
    clock.advance(20 * DAY_MS)
    (young,) = await store.messages.append(account_id, INBOX, [new_message(2)])
    clock.advance(11 * DAY_MS)
    assert await store.changes.compact(account_id, now=clock.now) > 0
    assert [young.mod_seq] == [change.mod_seq for change in await store.changes.since(account_id, old.mod_seq)]
    with pytest.raises(Conflict):
        await store.changes.since(account_id, ModSeq(old.mod_seq - 1))
    assert await store.changes.compact(account_id, now=clock.now) == 0


async def test_nothing_young_is_forgotten(store: SqliteStore, account_id: AccountId, clock: FakeClock) -> None:
    await store.messages.append(account_id, INBOX, [new_message(1)])
    assert await store.changes.compact(account_id, now=clock.now) == 0
    assert len(await store.changes.since(account_id, ModSeq(0))) == 7


async def test_when_all_is_forgotten_the_present_is_still_a_start(
    store: SqliteStore, account_id: AccountId, clock: FakeClock
) -> None:
    await store.messages.append(account_id, INBOX, [new_message(1)])
    now = await store.changes.mod_seq(account_id)
    clock.advance(31 * DAY_MS)
    await store.changes.compact(account_id, now=clock.now)
    assert list(await store.changes.since(account_id, now)) == []
    with pytest.raises(Conflict):
        await store.changes.since(account_id, ModSeq(now - 1))
