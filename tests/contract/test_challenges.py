"""ports.challenges on every engine."""

from dataclasses import replace

from mailstack.model.challenge import Challenge, ChallengeKind
from mailstack.model.instant import Instant
from mailstack.ports.bus import CHALLENGE_TOPIC
from mailstack.ports.store import Store
from tests.support.fake_clock import FakeClock
from tests.support.recording_bus import RecordingBus

HTTP, TLS = ChallengeKind.HTTP_01, ChallengeKind.TLS_ALPN_01


def challenge(name: str = "token", *, kind: ChallengeKind = HTTP, until: int) -> Challenge:
    return Challenge(kind=kind, name=name, value=f"proof of {name}", until=Instant(until))


async def test_what_was_put_is_found_until_it_ends(store: Store, clock: FakeClock) -> None:
    put = challenge(until=clock() + 1_000)
    await store.challenges.put(put)
    assert await store.challenges.find(HTTP, "token", now=clock()) == put
    clock.advance(1_000)
    assert await store.challenges.find(HTTP, "token", now=clock()) is None


async def test_kinds_and_names_are_apart(store: Store, clock: FakeClock) -> None:
    until = clock() + 1_000
    for each in (challenge("a", until=until), challenge("b", until=until), challenge("a", kind=TLS, until=until)):
        await store.challenges.put(each)
    assert list(await store.challenges.names(HTTP, now=clock())) == ["a", "b"]
    assert list(await store.challenges.names(TLS, now=clock())) == ["a"]
    assert await store.challenges.find(TLS, "b", now=clock()) is None
    assert list(await store.challenges.names(HTTP, now=Instant(until))) == []


async def test_a_second_one_takes_the_place_of_the_first(store: Store, clock: FakeClock) -> None:
    first = challenge(until=clock() + 1_000)
    second = replace(first, value="another proof")
    await store.challenges.put(first)
    await store.challenges.put(second)
    assert await store.challenges.find(HTTP, "token", now=clock()) == second


async def test_what_was_removed_is_not_found_and_may_be_removed_again(store: Store, clock: FakeClock) -> None:
    await store.challenges.put(challenge(until=clock() + 1_000))
    await store.challenges.remove(HTTP, "token")
    await store.challenges.remove(HTTP, "token")
    assert await store.challenges.find(HTTP, "token", now=clock()) is None


async def test_put_forgets_those_that_have_ended(store: Store, clock: FakeClock) -> None:
    then = clock()
    await store.challenges.put(challenge("old", until=then + 1))
    clock.advance(1)
    await store.challenges.put(challenge("new", until=clock() + 1))
    # Even a clock that is behind finds no trace of it.
    assert list(await store.challenges.names(HTTP, now=then)) == ["new"]


async def test_servers_are_woken_by_put_and_by_remove(store: Store, clock: FakeClock, bus: RecordingBus) -> None:
    bus.published.clear()
    await store.challenges.put(challenge(until=clock() + 1_000))
    assert bus.published == [CHALLENGE_TOPIC]
    await store.challenges.remove(HTTP, "token")
    assert bus.published == [CHALLENGE_TOPIC] * 2


async def test_a_proof_is_not_shown(clock: FakeClock) -> None:
    assert "proof" not in repr(challenge(until=clock()))
