"""ports.greylist on every engine."""

from mailstack.model.greylist import GreyEntry
from mailstack.model.instant import Instant
from mailstack.ports.store import Store
from tests.support.fake_clock import FakeClock


def entry(now: int, *, length: int = 1_000, passes: int = 0) -> GreyEntry:
    return GreyEntry(first_at=Instant(now), until=Instant(now + length), passes=passes)


async def test_what_was_kept_is_found_until_it_ends(store: Store, clock: FakeClock) -> None:
    first, second = entry(clock()), entry(clock(), length=2_000, passes=3)
    await store.greylist.keep({"#1": first, "192.0.2.0/24": second})
    both = ("#1", "192.0.2.0/24", "#2")
    assert await store.greylist.find(both, now=clock()) == {"#1": first, "192.0.2.0/24": second}
    clock.advance(1_000)
    assert await store.greylist.find(both, now=clock()) == {"192.0.2.0/24": second}


async def test_a_later_entry_takes_the_place_of_an_earlier_one(store: Store, clock: FakeClock) -> None:
    await store.greylist.keep({"#1": entry(clock())})
    later = entry(clock(), length=5_000, passes=1)
    await store.greylist.keep({"#1": later})
    assert await store.greylist.find(("#1",), now=clock()) == {"#1": later}


async def test_memory_those_that_have_ended_are_forgotten(store: Store, clock: FakeClock) -> None:
    then = clock()
    await store.greylist.keep({"#1": entry(then), "#2": entry(then, length=2_000)})
    clock.advance(1_000)
    assert await store.greylist.forget(now=clock()) == 1
    assert await store.greylist.forget(now=clock()) == 0
    assert list(await store.greylist.find(("#1", "#2"), now=then)) == ["#2"]
