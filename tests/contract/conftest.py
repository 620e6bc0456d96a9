"""One fixture for each engine: another engine adds a line to ENGINES and passes the same suites."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from mailstack.model.ids import AccountId
from mailstack.store.sqlite.open import open_store
from tests.support.fake_clock import FakeClock
from tests.support.recording_bus import RecordingBus
from tests.support.stores import Store, make_account

OpenStore = Callable[[Path, FakeClock, RecordingBus], Awaitable[Store]]


async def open_sqlite(path: Path, clock: FakeClock, bus: RecordingBus) -> Store:
    return await open_store(path, clock=clock, bus=bus)


ENGINES: tuple[OpenStore, ...] = (open_sqlite,)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def bus() -> RecordingBus:
    return RecordingBus()


@pytest.fixture(params=ENGINES, ids=lambda engine: str(engine.__name__).removeprefix("open_"))
async def store(
    request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock, bus: RecordingBus
) -> AsyncIterator[Store]:
    opened = await request.param(tmp_path / "store", clock, bus)
    yield opened
    await opened.close()


@pytest.fixture
async def account_id(store: Store) -> AccountId:
    return await make_account(store)
