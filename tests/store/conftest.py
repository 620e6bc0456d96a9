"""A SQLite store in a fresh folder, with what tests of its insides ask for."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mailstack.model.ids import AccountId
from mailstack.store.sqlite.open import SqliteStore, open_store
from tests.support.fake_clock import FakeClock
from tests.support.recording_bus import RecordingBus
from tests.support.stores import make_account


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def bus() -> RecordingBus:
    return RecordingBus()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
async def store(path: Path, clock: FakeClock, bus: RecordingBus) -> AsyncIterator[SqliteStore]:
    opened = await open_store(path, clock=clock, bus=bus)
    yield opened
    await opened.close()


@pytest.fixture
async def account_id(store: SqliteStore) -> AccountId:
    return await make_account(store)
