"""A store on PostgreSQL, behind a network that loses what it is told to lose."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mailstack.model.ids import AccountId
from mailstack.store.postgres.link import Limits, address_of
from mailstack.store.postgres.open import PostgresStore, open_store
from mailstack.store.sqlite.blobs import FolderBlobs
from tests.support.cutting_proxy import CuttingProxy, cutting_proxy
from tests.support.fake_clock import FakeClock
from tests.support.recording_bus import RecordingBus
from tests.support.stores import make_account

LIMITS = Limits(connect_s=10, answer_s=20.0, held_s=3)


async def open_at(url: str, folder: Path, **options: object) -> PostgresStore:
    settings = {"clock": FakeClock(), "bus": RecordingBus(), "limits": LIMITS, **options}
    return await open_store(address_of(url), blobs=FolderBlobs(folder), **settings)  # type: ignore[arg-type]  # by name


@pytest.fixture
async def network(empty_database: str) -> AsyncIterator[tuple[CuttingProxy, str]]:
    async with cutting_proxy(empty_database) as network:
        yield network


@pytest.fixture
def proxy(network: tuple[CuttingProxy, str]) -> CuttingProxy:
    return network[0]


@pytest.fixture
def bus() -> RecordingBus:
    return RecordingBus()


@pytest.fixture
async def store(network: tuple[CuttingProxy, str], tmp_path: Path, bus: RecordingBus) -> AsyncIterator[PostgresStore]:
    opened = await open_at(network[1], tmp_path, bus=bus)
    yield opened
    await opened.close()


@pytest.fixture
async def account_id(store: PostgresStore) -> AccountId:
    return await make_account(store)
