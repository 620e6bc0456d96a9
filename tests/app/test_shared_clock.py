"""Nodes whose clocks differ agree on one."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from mailstack.app import shared_clock
from mailstack.app.clock import system_clock
from mailstack.app.shared_clock import SharedClock, open_store_in_step, steady_ms
from mailstack.app.silence import Silence
from mailstack.app.store_address import StoreAddress
from mailstack.model.errors import TryAgainLater
from mailstack.model.instant import HOUR_MS, MINUTE_MS, SECOND_MS, Clock, Instant
from mailstack.services.outbound.leases import Leases
from mailstack.store.sqlite.open import SqliteStore, open_store
from tests.support.fake_clock import FakeClock
from tests.support.stores import outgoing_mail
from tests.support.wakes import eventually

SKEW_MS = 5 * MINUTE_MS
LEASE_S = 20.0


class Steady:
    """A machine's uptime in milliseconds, moved by hand."""

    def __init__(self) -> None:
        self.ms = 1_000_000

    def __call__(self) -> int:
        return self.ms


class Database:
    """Works as ports.store_time. The answer takes delays_ms in turn, a half each way."""

    def __init__(self, steady: Steady, now_ms: int, *delays_ms: int) -> None:
        self._steady = steady
        self._ahead_ms = now_ms - steady.ms
        self._delays_ms = list(delays_ms)
        self.is_gone = False
        self.is_broken = False
        self.asked = 0

    def set(self, by_ms: int) -> None:
        self._ahead_ms += by_ms

    async def now(self) -> Instant:
        self.asked += 1
        if self.is_gone:
            raise TryAgainLater("the database is gone")
        if self.is_broken:
            raise RuntimeError("a bug of the driver")
        half_ms = (self._delays_ms.pop(0) if self._delays_ms else 0) // 2
        self._steady.ms += half_ms
        answer = Instant(self._steady.ms + self._ahead_ms)
        self._steady.ms += half_ms
        return answer


@asynccontextmanager
async def begun(clock: SharedClock, database: Database, every_s: float = 3_600) -> AsyncIterator[None]:
    await clock.begin(database, every_s=every_s)
    yield
    await clock.end()


@pytest.mark.parametrize("skew_ms", [-SKEW_MS, 0, SKEW_MS])
async def test_whatever_a_machine_says_the_database_is_believed(skew_ms: int) -> None:
    steady, own = Steady(), FakeClock(2_000_000_000_000 + skew_ms)
    clock = SharedClock(own, steady)
    assert clock() == own.now
    async with begun(clock, Database(steady, 2_000_000_000_000)):
        assert clock() == 2_000_000_000_000
        steady.ms += 90 * SECOND_MS
        own.advance(-3 * SKEW_MS)  # somebody sets it
        assert clock() == 2_000_000_000_000 + 90 * SECOND_MS


async def test_the_quickest_answer_counts() -> None:
    steady = Steady()
    database = Database(steady, 2_000_000_000_000, 5_000, 2, 800)
    clock = SharedClock(FakeClock(), steady)
    async with begun(clock, database):
        assert clock() == 2_000_000_000_000 + 5_802


async def test_a_clock_that_is_far_off_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    steady = Steady()
    async with begun(SharedClock(FakeClock(2_000_000_000_000 + SKEW_MS), steady), Database(steady, 2_000_000_000_000)):
        said = capsys.readouterr().out
    assert "set it by NTP" in said
    assert "300" in said


async def test_a_database_that_is_gone_for_a_while_moves_nothing() -> None:
    steady = Steady()
    database = Database(steady, 2_000_000_000_000)
    clock = SharedClock(FakeClock(), steady)
    async with begun(clock, database, every_s=0.001):
        database.is_gone = True
        asked = database.asked
        await eventually(lambda: database.asked > asked + 2)
        assert clock() == 2_000_000_000_000
        database.set(SKEW_MS)
        database.is_gone = False
        await eventually(lambda: clock() == 2_000_000_000_000 + SKEW_MS)


async def test_a_bug_met_on_the_way_does_not_end_the_asking(capsys: pytest.CaptureFixture[str]) -> None:
    steady = Steady()
    database = Database(steady, 2_000_000_000_000)
    clock = SharedClock(FakeClock(), steady)
    async with begun(clock, database, every_s=0.001):
        database.is_broken = True
        asked = database.asked
        await eventually(lambda: database.asked > asked + 2)
        database.set(SKEW_MS)
        database.is_broken = False
        await eventually(lambda: clock() == 2_000_000_000_000 + SKEW_MS)
    assert "could not be asked" in capsys.readouterr().out


async def test_a_start_without_an_answer_is_refused() -> None:
    database = Database(Steady(), 0)
    database.is_gone = True
    with pytest.raises(TryAgainLater):
        await SharedClock(FakeClock()).begin(database)


def test_steady_time_goes_on_as_the_machines_does() -> None:
    assert abs(steady_ms() - time.clock_gettime(time.CLOCK_BOOTTIME) * 1_000) < MINUTE_MS


def skewed(by_ms: int) -> Clock:
    return lambda: Instant(system_clock() + by_ms)


async def test_a_node_five_minutes_ahead_takes_no_lease_that_another_holds(tmp_path: Path) -> None:
    store = await open_store(tmp_path, clock=system_clock, bus=Silence())
    clocks = [SharedClock(skewed(0)), SharedClock(skewed(SKEW_MS))]
    for clock in clocks:
        await clock.begin(store)
    await store.queue.enqueue([outgoing_mail()], next_at=clocks[0]())
    one, ahead = (leases(store, clock, name) for clock, name in zip(clocks, ("one", "ahead"), strict=True))
    assert len(await one.take()) == 1
    assert list(await ahead.take()) == []
    plain = leases(store, skewed(SKEW_MS), "by its own clock")
    assert len(await plain.take()) == 1  # which is why
    for clock in clocks:
        await clock.end()
    await store.close()


def leases(store: SqliteStore, clock: Clock, owner: str) -> Leases:
    return Leases(queue=store.queue, clock=clock, owner=owner, lease_s=LEASE_S)


async def test_a_store_in_step_goes_by_the_databases_clock_however_wrong_the_machines_is(
    tmp_path: Path, empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_clock, "system_clock", lambda: Instant(system_clock() + HOUR_MS))
    address = StoreAddress(folder=tmp_path, database=empty_database)
    store = await open_store_in_step(address, bus=Silence())
    try:
        assert abs(store.clock() - await store.now()) < MINUTE_MS
    finally:
        await store.close()
