"""ports.spam_lessons on every engine."""

import pytest

from mailstack.model.errors import Conflict
from mailstack.model.ids import AccountId, MessageId
from mailstack.model.instant import Instant
from mailstack.model.spam_lesson import Said, Settled, Taught, Vote
from mailstack.ports.bus import LESSON_TOPIC, SPAM_TOPIC
from mailstack.ports.locks import Lease
from mailstack.ports.store import Store
from tests.support.fake_clock import FakeClock
from tests.support.recording_bus import RecordingBus

ALICE, BOB, EVE = (AccountId(letter * 16) for letter in "abe")
FIRST, SECOND = MessageId(1), MessageId(2)
TABLE = bytes(1_000)


def settled(
    *taught: Taught,
    account_id: AccountId = ALICE,
    passed_over: tuple[MessageId, ...] = (),
    shared: tuple[bytes, ...] = (),
) -> Settled:
    return Settled(account_id=account_id, table=TABLE, taught=taught, passed_over=passed_over, shared_updates=shared)


def spam(message_id: MessageId = FIRST, bands: tuple[int, ...] = ()) -> Taught:
    return Taught(message_id=message_id, said=Said.SPAM, update=b"own", shared_update=b"shared", bands=bands)


async def wanted(store: Store) -> list[tuple[AccountId, MessageId, Said]]:
    return [(one.account_id, one.message_id, one.wanted) for one in await store.spam_lessons.open(limit=10)]


async def move(store: Store, said: Said) -> None:
    await store.spam_lessons.note(ALICE, [FIRST], said, is_move=True)


async def test_who_has_lost_the_lease_writes_nothing(store: Store, clock: FakeClock) -> None:
    mine, other = Lease("teaching", "me"), Lease("teaching", "another")
    await store.spam_lessons.note(ALICE, [FIRST], Said.SPAM)
    for lease in (other, mine):
        now = clock()
        assert await store.locks.acquire(lease.name, lease.owner, now=now, until=Instant(now + 1_000))
        clock.advance(1_000)
    with pytest.raises(Conflict, match="somebody else"):
        await store.spam_lessons.settle(settled(spam(), shared=(b"update",)), lease=other)
    with pytest.raises(Conflict, match="somebody else"):
        await store.spam_tables.replace_account(ALICE, TABLE, lease=other)
    assert await wanted(store) == [(ALICE, FIRST, Said.SPAM)]
    assert (await store.spam_tables.of_account(ALICE), await store.spam_tables.shared_number()) == (None, 0)
    # Nobody has taken it since it ran out.
    await store.spam_lessons.settle(settled(spam(), shared=(b"update",)), lease=mine)
    await store.spam_tables.replace_account(ALICE, b"a table", lease=mine)
    assert (await store.spam_tables.of_account(ALICE), await store.spam_tables.shared_number()) == (b"a table", 1)


async def test_what_is_noted_waits_to_be_taught_the_oldest_first(
    store: Store, bus: RecordingBus, clock: FakeClock
) -> None:
    assert await wanted(store) == []
    await store.spam_lessons.note(BOB, [FIRST], Said.SPAM)
    clock.advance(1)
    await store.spam_lessons.note(ALICE, [SECOND], Said.HAM)
    assert await wanted(store) == [(BOB, FIRST, Said.SPAM), (ALICE, SECOND, Said.HAM)]
    assert LESSON_TOPIC in bus.published
    (first,) = await store.spam_lessons.open(limit=1)
    assert (first.taught, first.update, first.shared_update) == (Said.NOTHING, b"", b"")


async def test_what_is_said_last_counts(store: Store, clock: FakeClock) -> None:
    await store.spam_lessons.note(ALICE, [FIRST, SECOND], Said.SPAM)
    clock.advance(1)
    await store.spam_lessons.note(ALICE, [FIRST], Said.HAM)
    assert await wanted(store) == [(ALICE, SECOND, Said.SPAM), (ALICE, FIRST, Said.HAM)]


async def test_a_move_back_says_nothing_and_the_next_one_speaks_again(store: Store) -> None:
    await move(store, Said.SPAM)
    await move(store, Said.SPAM)
    assert await wanted(store) == [(ALICE, FIRST, Said.SPAM)]
    await move(store, Said.HAM)
    assert await wanted(store) == []
    await move(store, Said.SPAM)
    assert await wanted(store) == [(ALICE, FIRST, Said.SPAM)]


async def test_only_the_contrary_is_contradicted(store: Store, bus: RecordingBus) -> None:
    await store.spam_lessons.contradict(ALICE, [FIRST], Said.HAM)
    assert await wanted(store) == []
    await move(store, Said.SPAM)
    await move(store, Said.HAM)
    await store.spam_lessons.contradict(ALICE, [FIRST], Said.HAM)
    assert await wanted(store) == []
    await store.spam_lessons.note(ALICE, [FIRST], Said.SPAM)
    await store.spam_lessons.contradict(BOB, [FIRST], Said.HAM)
    await store.spam_lessons.contradict(ALICE, [FIRST], Said.SPAM)
    assert await wanted(store) == [(ALICE, FIRST, Said.SPAM)]
    bus.published.clear()
    await store.spam_lessons.contradict(ALICE, [FIRST, SECOND], Said.HAM)
    assert await wanted(store) == [(ALICE, FIRST, Said.HAM)]
    assert LESSON_TOPIC in bus.published


async def test_what_was_taught_waits_no_more_and_is_known_when_it_is_taken_back(
    store: Store, bus: RecordingBus
) -> None:
    await move(store, Said.SPAM)
    await store.spam_lessons.settle(settled(spam()))
    assert await wanted(store) == []
    assert SPAM_TOPIC in bus.published
    await move(store, Said.HAM)
    (lesson,) = await store.spam_lessons.open(limit=10)
    assert (lesson.wanted, lesson.taught) == (Said.NOTHING, Said.SPAM)
    assert (lesson.update, lesson.shared_update) == (b"own", b"shared")
    await store.spam_lessons.settle(settled(Taught(message_id=FIRST, said=Said.NOTHING)))
    assert await wanted(store) == []


async def test_what_is_said_while_it_is_taught_is_taught_next(store: Store) -> None:
    await store.spam_lessons.note(ALICE, [FIRST], Said.HAM)
    await store.spam_lessons.settle(settled(spam()))
    (lesson,) = await store.spam_lessons.open(limit=10)
    assert (lesson.wanted, lesson.taught) == (Said.HAM, Said.SPAM)


async def test_what_is_passed_over_is_not_taught(store: Store) -> None:
    await store.spam_lessons.note(ALICE, [FIRST, SECOND], Said.HAM)
    await store.spam_lessons.settle(settled(passed_over=(FIRST,)))
    assert await wanted(store) == [(ALICE, SECOND, Said.HAM)]


async def test_lessons_and_votes_of_an_account_are_counted(store: Store, clock: FakeClock) -> None:
    before = clock()
    await store.spam_lessons.note(ALICE, [FIRST, SECOND], Said.SPAM)
    await store.spam_lessons.note(BOB, [FIRST], Said.SPAM)
    clock.advance(1)
    await store.spam_lessons.settle(settled(spam(bands=(1, 2)), spam(SECOND)))
    await store.spam_lessons.settle(settled(spam(), account_id=BOB))
    assert await store.spam_lessons.taught_since(ALICE, before) == (2, 1)
    assert await store.spam_lessons.taught_since(ALICE, clock()) == (0, 0)
    assert await store.spam_lessons.taught_since(EVE, before) == (0, 0)


async def test_votes_are_told_by_account_and_what_was_said(store: Store) -> None:
    for account_id, bands in ((ALICE, (1, 2, 3)), (BOB, (3, 4))):
        await store.spam_lessons.note(account_id, [FIRST], Said.SPAM)
        await store.spam_lessons.settle(settled(spam(bands=bands), account_id=account_id))
    found = sorted(await store.spam_lessons.votes([2, 3, 4, 9]), key=lambda vote: vote.account_id)
    assert found == [
        Vote(account_id=ALICE, said=Said.SPAM, bands=2),
        Vote(account_id=BOB, said=Said.SPAM, bands=2),
    ]
    assert await store.spam_lessons.votes([]) == []


async def test_a_vote_goes_with_its_lesson(store: Store) -> None:
    await store.spam_lessons.note(ALICE, [FIRST], Said.SPAM)
    await store.spam_lessons.settle(settled(spam(bands=(1, 2))))
    await store.spam_lessons.settle(settled(Taught(message_id=FIRST, said=Said.NOTHING)))
    assert await store.spam_lessons.votes([1, 2]) == []


async def test_an_account_has_one_vote_for_each_band(store: Store) -> None:
    await store.spam_lessons.note(ALICE, [FIRST, SECOND], Said.SPAM)
    await store.spam_lessons.settle(settled(spam(FIRST, (1, 2)), spam(SECOND, (1, 2))))
    assert await store.spam_lessons.votes([1, 2]) == [Vote(account_id=ALICE, said=Said.SPAM, bands=2)]


async def test_what_is_old_is_forgotten(store: Store, clock: FakeClock) -> None:
    await store.spam_lessons.note(ALICE, [FIRST], Said.SPAM)
    clock.advance(1)
    await store.spam_lessons.note(ALICE, [SECOND], Said.SPAM)
    await store.spam_lessons.settle(settled(spam(bands=(1, 2)), spam(SECOND, (7,))))
    assert await store.spam_lessons.forget(before=clock(), votes_before=clock()) == 1
    assert len(await store.spam_lessons.votes([1, 2, 7])) == 1
    after = Instant(clock() + 1)
    assert await store.spam_lessons.forget(before=after, votes_before=after) == 1
    assert await store.spam_lessons.votes([1, 2, 7]) == []


@pytest.mark.parametrize("count", [0, 3])
async def test_updates_of_the_shared_model_go_into_its_log(store: Store, count: int) -> None:
    await store.spam_lessons.settle(settled(shared=tuple(bytes([number]) for number in range(count))))
    news = await store.spam_tables.shared_after(0)
    assert (news.base, news.updates, news.number) == (None, [bytes([number]) for number in range(count)], count)
