"""One writer to the models at a time, for as long as it keeps its turn."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mailstack.model.errors import TryAgainLater
from mailstack.ports.locks import Locks
from mailstack.services.spam.turn import LEASE_MS, RENEW_MS, LearningTurn
from tests.support.engines import open_store
from tests.support.fake_clock import FakeClock
from tests.support.recording_bus import RecordingBus


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def locks(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Locks]:
    store = await open_store(tmp_path, clock=clock, bus=RecordingBus())
    yield store.locks
    await store.close()


async def test_one_has_it_until_it_gives_it_back(locks: Locks, clock: FakeClock) -> None:
    one, other = (LearningTurn(locks, owner=owner, clock=clock) for owner in ("one", "other"))
    assert await one.take()
    assert not await other.take()
    await one.give_back()
    assert await other.take()


async def test_who_keeps_it_has_it_for_as_long_as_it_takes(locks: Locks, clock: FakeClock) -> None:
    one, other = (LearningTurn(locks, owner=owner, clock=clock) for owner in ("one", "other"))
    assert await one.take()
    for _ in range(2 * LEASE_MS // RENEW_MS):
        clock.advance(RENEW_MS)
        await one.keep()
    assert not await other.take()


async def test_who_did_not_keep_it_has_lost_it(locks: Locks, clock: FakeClock) -> None:
    one, other = (LearningTurn(locks, owner=owner, clock=clock) for owner in ("one", "other"))
    assert await one.take()
    await one.keep()
    clock.advance(LEASE_MS + 1)
    assert await other.take()
    with pytest.raises(TryAgainLater, match="somebody else writes"):
        await one.keep()
