"""ports.spam_tables on every engine."""

import pytest

from mailstack.model.errors import Conflict
from mailstack.model.ids import AccountId, MessageId
from mailstack.model.instant import Instant
from mailstack.model.spam_lesson import Said, Settled, Taught
from mailstack.ports.bus import SPAM_TOPIC
from mailstack.ports.store import Store
from tests.support.recording_bus import RecordingBus

ALICE, BOB = (AccountId(letter * 16) for letter in "ab")


async def learn(store: Store, *updates: bytes) -> None:
    settled = Settled(account_id=ALICE, table=None, taught=(), passed_over=(), shared_updates=updates)
    await store.spam_lessons.settle(settled)


async def test_an_account_that_taught_nothing_has_no_table(store: Store) -> None:
    assert await store.spam_tables.of_account(ALICE) is None
    assert await store.spam_tables.changed_after(0) == {}


async def test_tables_come_back_as_they_were(store: Store, bus: RecordingBus) -> None:
    await store.spam_tables.replace_account(ALICE, bytes(200_000))
    await store.spam_tables.replace_account(BOB, b"another")
    assert await store.spam_tables.of_account(ALICE) == bytes(200_000)
    assert await store.spam_tables.of_account(BOB) == b"another"
    assert SPAM_TOPIC in bus.published


async def test_changes_have_numbers_that_grow(store: Store) -> None:
    await store.spam_tables.replace_account(ALICE, b"1")
    await store.spam_tables.replace_account(BOB, b"2")
    assert await store.spam_tables.changed_after(0) == {ALICE: 1, BOB: 2}
    settled = Settled(account_id=ALICE, table=b"3", taught=(), passed_over=(), shared_updates=())
    await store.spam_lessons.settle(settled)
    assert await store.spam_tables.changed_after(1) == {BOB: 2, ALICE: 3}
    assert await store.spam_tables.of_account(ALICE) == b"3"


async def test_an_account_begins_anew_and_others_hear_of_it(store: Store) -> None:
    await store.spam_lessons.note(ALICE, [MessageId(1)], Said.SPAM)
    taught = Taught(message_id=MessageId(1), said=Said.SPAM, update=b"own", bands=(1, 2))
    settled = Settled(account_id=ALICE, table=b"1", taught=[taught], passed_over=(), shared_updates=())
    await store.spam_lessons.settle(settled)
    await store.spam_tables.forget_account(ALICE)
    assert await store.spam_tables.of_account(ALICE) is None
    assert await store.spam_tables.changed_after(1) == {ALICE: 2}
    assert await store.spam_lessons.taught_since(ALICE, Instant(0)) == (0, 0)
    assert await store.spam_lessons.votes([1, 2]) == []


async def test_the_shared_model_is_a_base_and_what_came_after(store: Store) -> None:
    await learn(store, b"1", b"2")
    news = await store.spam_tables.shared_after(1)
    assert (news.base, news.updates, news.number) == (None, [b"2"], 2)
    await store.spam_tables.replace_shared(b"base", after=2)
    await learn(store, b"4")
    assert (await store.spam_tables.shared_number(), await store.spam_tables.log_length()) == (4, 1)
    for known in (0, 2):
        news = await store.spam_tables.shared_after(known)
        assert (news.base, news.updates, news.number) == (b"base", [b"4"], 4)
    news = await store.spam_tables.shared_after(3)
    assert (news.base, news.updates, news.number) == (None, [b"4"], 4)
    news = await store.spam_tables.shared_after(4)
    assert (news.base, news.updates, news.number) == (None, [], 4)


@pytest.mark.parametrize(("is_anew", "left"), [(False, b"shared"), (True, b"")])
async def test_from_a_model_that_begins_anew_no_lesson_is_taken_back(store: Store, is_anew: bool, left: bytes) -> None:
    await store.spam_lessons.note(ALICE, [MessageId(1)], Said.SPAM)
    taught = Taught(message_id=MessageId(1), said=Said.SPAM, update=b"own", shared_update=b"shared")
    settled = Settled(account_id=ALICE, table=b"1", taught=[taught], passed_over=(), shared_updates=(b"shared",))
    await store.spam_lessons.settle(settled)
    await store.spam_tables.replace_shared(b"base", after=1, is_anew=is_anew)
    await store.spam_lessons.note(ALICE, [MessageId(1)], Said.HAM)
    (lesson,) = await store.spam_lessons.open(limit=1)
    assert (lesson.update, lesson.shared_update) == (b"own", left)


async def test_a_base_that_lacks_what_was_learned_since_is_refused(store: Store) -> None:
    await learn(store, b"1")
    with pytest.raises(Conflict):
        await store.spam_tables.replace_shared(b"base", after=0)
    assert (await store.spam_tables.shared_after(0)).updates == [b"1"]


async def test_a_base_of_many_octets(store: Store) -> None:
    base = bytes(12 << 20)
    await store.spam_tables.replace_shared(base, after=0)
    assert (await store.spam_tables.shared_after(0)).base == base
