"""Failures cost more and more time, for an address and for a name, and are forgotten. LESSONS: growth of a limiter."""

import asyncio

import pytest

from mailstack.model.errors import TryAgainLater
from mailstack.net.tally import Nobody, Tally
from mailstack.services.identity import delays as delays_module
from mailstack.services.identity.delays import FORGOTTEN_MS, FREE, HELD_AT_ONCE, LoginDelays
from tests.support.fake_clock import FakeClock
from tests.support.login_delays import no_delays


async def failed(delays: LoginDelays, hosts: list[str], names: list[str]) -> None:
    for host, name in zip(hosts, names, strict=True):
        await delays.hold(host, name)


@pytest.mark.parametrize(
    ("hosts", "names"),
    [
        (["192.0.2.1"] * 10, [f"a{number}@x.example" for number in range(10)]),
        ([f"192.0.2.{number}" for number in range(10)], ["a@x.example"] * 10),
        ([f"2001:db8::{number}" for number in range(10)], [""] * 10),
    ],
    ids=["one address", "one name", "one site of IPv6"],
)
async def test_the_wait_grows_and_has_an_end(hosts: list[str], names: list[str]) -> None:
    waits: list[float] = []
    await failed(no_delays(waits), hosts, names)
    assert waits == [1, 2, 4, 8, 16, 16, 16]


async def test_others_wait_for_nothing() -> None:
    waits: list[float] = []
    delays = no_delays(waits)
    await failed(delays, ["192.0.2.1"] * FREE, ["a@x.example"] * FREE)
    await delays.hold("192.0.2.2", "b@x.example")
    assert waits == []


@pytest.mark.parametrize("step_ms", [FORGOTTEN_MS, -1], ids=["long ago", "the clock was put back"])
async def test_failures_are_forgotten(step_ms: int) -> None:
    clock, waits = FakeClock(), list[float]()

    async def pass_by(seconds: float) -> None:
        waits.append(seconds)

    delays = LoginDelays(clock, Nobody(), sleep=pass_by)
    await failed(delays, ["192.0.2.1"] * 5, ["a@x.example"] * 5)
    clock.advance(step_ms)
    await delays.hold("192.0.2.1", "a@x.example")
    assert waits == [1, 2]


async def test_memory_however_many_fail_only_some_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delays_module, "REMEMBERED", 50)
    delays = no_delays()
    for number in range(500):
        await delays.hold(f"10.0.{number >> 8}.{number & 255}", f"a{number}@x.example")
    assert len(delays._failures) <= 50
    assert not delays._held


async def test_workers_count_together() -> None:
    tally, waits = Tally(2), list[float]()

    async def pass_by(seconds: float) -> None:
        waits.append(seconds)

    clock = FakeClock()
    one, two = (LoginDelays(clock, tally.of(place), sleep=pass_by) for place in range(2))
    await failed(one, ["192.0.2.1"] * FREE, ["a@x.example"] * FREE)
    await two.hold("192.0.2.1", "a@x.example")
    assert waits == [1]
    clock.advance(FORGOTTEN_MS)
    await one.hold("192.0.2.9", "")  # forgets what it has counted, for the other one too
    await two.hold("192.0.2.1", "a@x.example")
    assert waits == [1]


async def test_guessing_side_by_side_is_turned_away() -> None:
    end = asyncio.Event()

    async def held(_: float) -> None:
        await end.wait()

    delays = LoginDelays(FakeClock(), Nobody(), sleep=held)
    await failed(delays, ["192.0.2.1"] * FREE, [""] * FREE)
    async with asyncio.TaskGroup() as tries:
        for _ in range(HELD_AT_ONCE):
            tries.create_task(delays.hold("192.0.2.1", ""))
        await asyncio.sleep(0)
        with pytest.raises(TryAgainLater):
            delays.require_a_turn("192.0.2.1")
        delays.require_a_turn("192.0.2.2")
        end.set()
    delays.require_a_turn("192.0.2.1")
