"""ports.object_journal on every engine."""

import asyncio
import random

import pytest

from mailstack.model.errors import Conflict
from mailstack.model.ids import AccountId
from mailstack.model.instant import DAY_MS, Instant
from mailstack.model.object_journal import JournalPoint, ObjectKind
from mailstack.ports.bus import account_topic
from mailstack.ports.store import Store
from tests.support.fake_clock import FakeClock
from tests.support.journal import note
from tests.support.recording_bus import RecordingBus
from tests.support.stores import account_resource, apply, destroyed, make_account

IDENTITY = ObjectKind.IDENTITY
Told = tuple[str, str, str, int]
"""Created, updated, destroyed, and how far that goes."""


async def told(store: Store, account_id: AccountId, since: int, *, kind: ObjectKind = IDENTITY) -> Told:
    found = await store.object_journal.changed(account_id, kind, JournalPoint(since), limit=100)
    assert not found.has_more
    assert found.point.began is None
    return "".join(found.created), "".join(found.updated), "".join(found.destroyed), found.point.number


async def test_there_is_nothing_at_first(store: Store, account_id: AccountId) -> None:
    assert await store.object_journal.number(account_id, IDENTITY) == 0
    assert await store.object_journal.numbers([account_id]) == {}
    assert await told(store, account_id, 0) == ("", "", "", 0)


async def test_changes_since_each_number(store: Store, account_id: AccountId) -> None:
    assert await note(store, account_id, created="ab") == 2
    assert await note(store, account_id, updated="a", destroyed="b") == 4
    assert await note(store, account_id, created="c", updated="x", destroyed="y") == 7
    assert [await told(store, account_id, since) for since in range(8)] == [
        ("ac", "x", "y", 7),  # b came and went
        ("c", "ax", "y", 7),  # within a write, b was not there yet
        ("c", "ax", "by", 7),
        ("c", "x", "by", 7),
        ("c", "x", "y", 7),
        ("", "x", "y", 7),
        ("", "", "y", 7),
        ("", "", "", 7),
    ]


async def test_each_kind_of_each_account_counts_for_itself(store: Store, account_id: AccountId) -> None:
    other = await make_account(store, "bob@example.com")
    await note(store, account_id, created="a")
    await note(store, account_id, created="a", updated="b", kind=ObjectKind.SCRIPT)
    await note(store, other, created="abc")
    assert await store.object_journal.numbers([account_id, other, AccountId("0" * 16)]) == {
        account_id: {IDENTITY: 1, ObjectKind.SCRIPT: 2},
        other: {IDENTITY: 3},
    }
    assert await store.object_journal.number(account_id, ObjectKind.SCRIPT) == 2
    assert await told(store, account_id, 0) == ("a", "", "", 1)
    assert await told(store, account_id, 0, kind=ObjectKind.SCRIPT) == ("a", "b", "", 2)
    assert await told(store, account_id, 0, kind=ObjectKind.VACATION) == ("", "", "", 0)


async def test_a_write_of_nothing_counts_nothing(store: Store, account_id: AccountId) -> None:
    await note(store, account_id, created="a")
    assert await note(store, account_id) == 1
    assert await told(store, account_id, 1) == ("", "", "", 1)


async def test_a_write_is_told_of(store: Store, account_id: AccountId, bus: RecordingBus) -> None:
    before = bus.published.count(account_topic(account_id))
    await note(store, account_id, created="a")
    assert bus.published.count(account_topic(account_id)) == before + 1


async def test_a_write_that_depends_on_a_number_fails_whole(store: Store, account_id: AccountId) -> None:
    assert await note(store, account_id, created="a", if_number=0) == 1
    with pytest.raises(Conflict):
        await note(store, account_id, created="b", if_number=0)
    assert await told(store, account_id, 0) == ("a", "", "", 1)


async def test_of_many_who_depend_on_one_number_one_writes(store: Store, account_id: AccountId) -> None:
    writes = [note(store, account_id, created=each, if_number=0) for each in "abcdefgh"]
    results = await asyncio.gather(*writes, return_exceptions=True)
    assert [result for result in results if not isinstance(result, Conflict)] == [1]


async def test_many_who_write_at_once_take_numbers_of_their_own(store: Store, account_id: AccountId) -> None:
    numbers = await asyncio.gather(*(note(store, account_id, created=each) for each in "abcdefgh"))
    assert sorted(numbers) == [*range(1, 9)]
    assert sorted((await told(store, account_id, 0))[0]) == [*"abcdefgh"]


async def test_a_number_that_was_never_given_out(store: Store, account_id: AccountId) -> None:
    await note(store, account_id, created="a")
    with pytest.raises(Conflict):
        await told(store, account_id, 2)


async def test_what_is_old_is_forgotten_and_its_states_with_it(store: Store, account_id: AccountId) -> None:
    await note(store, account_id, created="ab", now=0)
    await note(store, account_id, destroyed="b", now=DAY_MS)
    await note(store, account_id, updated="c", now=40 * DAY_MS)
    assert await store.object_journal.forget(now=Instant(31 * DAY_MS)) == 1
    assert await told(store, account_id, 2) == ("", "c", "b", 4)
    with pytest.raises(Conflict):
        await told(store, account_id, 0)

    assert await store.object_journal.forget(now=Instant(32 * DAY_MS)) == 1
    assert await told(store, account_id, 3) == ("", "c", "", 4)
    with pytest.raises(Conflict):
        await told(store, account_id, 2)
    await note(store, account_id, updated="a", now=40 * DAY_MS)
    assert await told(store, account_id, 3) == ("", "ca", "", 5)


async def test_forgetting_goes_on_until_nothing_old_is_left(store: Store, account_id: AccountId) -> None:
    many = "".join(map(chr, range(0x4E00, 0x4E00 + 1_100)))
    await note(store, account_id, created=many)
    assert await store.object_journal.forget(now=Instant(31 * DAY_MS)) == 1_100
    assert await told(store, account_id, 1_100) == ("", "", "", 1_100)
    assert await store.object_journal.number(account_id, IDENTITY) == 1_100


async def test_it_goes_when_the_trash_lets_the_account_go(
    store: Store, account_id: AccountId, clock: FakeClock
) -> None:
    await note(store, account_id, created="a")
    await apply(store, destroyed(account_resource("alice@example.com")))
    await store.trash.purge(now=Instant(clock() + 29 * DAY_MS))
    assert await told(store, account_id, 0) == ("a", "", "", 1)

    await store.trash.purge(now=Instant(clock() + 31 * DAY_MS))
    assert await told(store, account_id, 0) == ("", "", "", 0)


class Writer:
    """Changes objects by chance, and knows what there is."""

    def __init__(self, store: Store, account_id: AccountId, chance: random.Random) -> None:
        self._store = store
        self._account_id = account_id
        self._chance = chance
        self._fresh = iter("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
        self.there: dict[str, int] = {}
        """With the number of changes to each."""

    async def write(self) -> None:
        new = next(self._fresh) if self._chance.random() < 0.5 else ""
        there = sorted(self.there)
        gone = self._chance.choice(there) if there and self._chance.random() < 0.3 else ""
        kept = [one for one in there if one != gone]
        changed = self._chance.sample(kept, k=min(len(kept), self._chance.randrange(3)))
        await note(self._store, self._account_id, created=new, updated="".join(changed), destroyed=gone)
        self.there |= dict.fromkeys(new, 0)
        self.there.pop(gone, None)
        for one in changed:
            self.there[one] += 1


@pytest.mark.parametrize("seed", range(6))
async def test_who_follows_in_small_steps_while_others_write_knows_all_in_the_end(
    store: Store, account_id: AccountId, seed: int
) -> None:
    chance = random.Random(seed)
    writer = Writer(store, account_id, chance)
    known: dict[str, int] = {}
    point = JournalPoint(0)
    for left in reversed(range(60)):
        if left > 20:
            await writer.write()
        found = await store.object_journal.changed(account_id, IDENTITY, point, limit=1 + chance.randrange(3))
        assert len(found.created) + len(found.updated) + len(found.destroyed) <= 3
        assert not {*found.updated} - {*known}  # nobody hears of a change to what they do not know
        for one in found.destroyed:
            known.pop(one, None)
        for one in (*found.created, *found.updated):
            known[one] = writer.there.get(one, -1)
        point = found.point
    assert point == JournalPoint(await store.object_journal.number(account_id, IDENTITY))
    assert known == writer.there
