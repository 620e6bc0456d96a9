"""What is noted of senders comes into the store a moment later, whatever becomes of the store meanwhile."""

from collections.abc import Collection, Mapping, Sequence

import pytest

from mailstack.model.acquaintance import Acquaintance, Tie
from mailstack.model.errors import TryAgainLater
from mailstack.model.ids import AccountId
from mailstack.model.instant import DAY_MS, Instant
from mailstack.model.reputation import Counts
from mailstack.ports.reputation import SubjectVoice
from mailstack.services.spam import gathered
from mailstack.services.spam.gathered import FOUND_FOR_MS, GatheredAcquaintances, GatheredReputation
from mailstack.store.memory.acquaintances import MemoryAcquaintances
from mailstack.store.memory.reputation import MemoryReputation
from tests.support.fake_clock import FakeClock

ALICE = AccountId("a" * 16)
ONE_SPAM = Counts(0.0, 1.0)


class Restive(MemoryReputation):
    """Cannot be written while is_locked; counts what it is asked, and what it writes."""

    def __init__(self) -> None:
        super().__init__()
        self.is_locked = False
        self.asked: list[Sequence[int]] = []
        self.bounds: list[int] = []
        self.told_meanwhile: list[int] = []
        self.reputation: GatheredReputation

    async def find(self, subjects: Sequence[int], *, most: float) -> Mapping[int, Counts]:
        self.asked.append(subjects)
        return await super().find(subjects, most=most)

    async def add(self, said: Mapping[SubjectVoice, Counts]) -> None:
        self.reputation.say(0, self.told_meanwhile, ONE_SPAM, at=Instant(0))
        if self.is_locked:
            raise TryAgainLater("locked")
        await super().add(said)

    async def bound(self, most_rows: int) -> int:
        self.bounds.append(most_rows)
        return await super().bound(most_rows)


@pytest.fixture
def store() -> Restive:
    return Restive()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(0)


@pytest.fixture
def reputation(store: Restive, clock: FakeClock) -> GatheredReputation:
    store.reputation = GatheredReputation(store, clock=clock)
    return store.reputation


def spam_in(found: Mapping[int, Counts]) -> dict[int, float]:
    return {subject: round(counts.spam, 3) for subject, counts in found.items()}


async def test_what_was_found_is_not_asked_for_again_at_once(
    reputation: GatheredReputation, store: Restive, clock: FakeClock
) -> None:
    assert spam_in(await reputation.find([1, 2])) == {1: 0.0, 2: 0.0}
    clock.advance(FOUND_FOR_MS - 1)
    await reputation.find([2, 3])
    clock.advance(1)
    await reputation.find([2, 3])
    clock.now = Instant(0)  # which went back
    await reputation.find([3])
    assert store.asked == [[1, 2], [3], [2], [3]]


async def test_what_cannot_be_written_is_written_later(reputation: GatheredReputation, store: Restive) -> None:
    store.is_locked = True
    store.told_meanwhile = [1, 2]
    reputation.say(0, [1], ONE_SPAM, at=Instant(0))
    with pytest.raises(TryAgainLater):
        await reputation.flush()
    store.is_locked = False
    store.told_meanwhile = []
    await reputation.flush()
    await reputation.flush()
    assert spam_in(await reputation.find([1, 2])) == {1: 2.0, 2: 1.0}


async def test_no_more_is_gathered_than_so_much(
    reputation: GatheredReputation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathered, "MOST_NOTED", 2)
    for _ in range(2):
        reputation.say(0, [1, 2, 3], ONE_SPAM, at=Instant(0))
    await reputation.flush()
    assert spam_in(await reputation.find([1, 2, 3])) == {1: 2.0, 2: 2.0, 3: 0.0}


async def test_the_store_is_bounded_now_and_then(
    reputation: GatheredReputation, store: Restive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathered, "ROWS_BETWEEN_BOUNDS", 4)
    monkeypatch.setattr(gathered, "MOST_ROWS", 3)
    for number in range(6):
        reputation.say(0, [number], ONE_SPAM.times(1 + number), at=Instant(0))
        await reputation.flush()
    assert store.bounds == [3]
    assert sum(1 for counts in (await reputation.find(range(6))).values() if counts.spam) == 5


async def test_so_many_are_remembered_and_no_more(
    reputation: GatheredReputation, store: Restive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathered, "MOST_REMEMBERED", 2)
    assert sorted(await reputation.find([1, 2, 3])) == [1, 2, 3]
    await reputation.find([3, 2])
    await reputation.find([1])
    assert store.asked == [[1, 2, 3], [1]]


class Counting(MemoryAcquaintances):
    def __init__(self) -> None:
        super().__init__()
        self.is_locked = False
        self.noted: list[Collection[Acquaintance]] = []

    async def note(self, met: Mapping[Acquaintance, Instant]) -> None:
        if self.is_locked:
            raise TryAgainLater("locked")
        self.noted.append([*met])
        await super().note(met)


async def known(acquaintances: GatheredAcquaintances, *keys: int) -> list[int]:
    await acquaintances.flush()
    return sorted(one.key for one in await acquaintances.find(ALICE, keys))


async def test_who_is_heard_of_every_hour_is_written_once_a_day(clock: FakeClock) -> None:
    store = Counting()
    acquaintances = GatheredAcquaintances(store, clock=clock)
    for _ in range(25):
        acquaintances.note(ALICE, Tie.HEARD, [1], lasts_ms=9 * DAY_MS)
        assert await known(acquaintances, 1) == [1]
        clock.advance(DAY_MS // 24)
    assert store.noted == [[Acquaintance(ALICE, Tie.HEARD, 1)]] * 2


async def test_acquaintances_that_cannot_be_written_are_written_later(clock: FakeClock) -> None:
    store = Counting()
    acquaintances = GatheredAcquaintances(store, clock=clock)
    store.is_locked = True
    acquaintances.note(ALICE, Tie.HEARD, [1], lasts_ms=DAY_MS)
    with pytest.raises(TryAgainLater):
        await acquaintances.flush()
    acquaintances.note(ALICE, Tie.HEARD, [2], lasts_ms=DAY_MS)
    store.is_locked = False
    assert await known(acquaintances, 1, 2) == [1, 2]


async def test_who_parts_and_meets_again_is_known(clock: FakeClock) -> None:
    acquaintances = GatheredAcquaintances(MemoryAcquaintances(), clock=clock)
    acquaintances.note(ALICE, Tie.HEARD, [1, 2], lasts_ms=DAY_MS)
    acquaintances.part(ALICE, 1)
    assert await known(acquaintances, 1, 2) == [2]
    acquaintances.part(ALICE, 2)
    acquaintances.note(ALICE, Tie.HEARD, [2], lasts_ms=DAY_MS)
    assert await known(acquaintances, 1, 2) == [2]


async def test_no_more_acquaintances_are_gathered_than_so_many(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathered, "MOST_NOTED", 2)
    monkeypatch.setattr(gathered, "MOST_REMEMBERED", 1)
    acquaintances = GatheredAcquaintances(MemoryAcquaintances(), clock=clock)
    acquaintances.note(ALICE, Tie.HEARD, [1, 2, 3], lasts_ms=DAY_MS)
    for key in (7, 8, 9):
        acquaintances.part(ALICE, key)
    assert await known(acquaintances, 1, 2, 3) == [1, 2]
