"""One fixture for each engine: another engine adds a line to ENGINES and passes the same suites."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from mailstack.model.ids import AccountId
from mailstack.model.principal import Account
from mailstack.model.resource import Kind
from mailstack.model.upkeep import Flaw
from mailstack.store.sqlite.open import open_store
from tests.support.fake_clock import FakeClock
from tests.support.recording_bus import RecordingBus
from tests.support.stores import Store, make_account

OpenStore = Callable[[Path, FakeClock, RecordingBus], Awaitable[Store]]


async def open_sqlite(path: Path, clock: FakeClock, bus: RecordingBus) -> Store:
    return await open_store(path, clock=clock, bus=bus)


MOST_VERIFIED = 5

ENGINES: tuple[OpenStore, ...] = (open_sqlite,)


async def flaws_of(store: Store) -> list[Flaw]:
    """Of the accounts that there are when the test is over, while they are few."""
    accounts = [*(await store.state.snapshot([Kind.ACCOUNT])).resources.values()]
    flaws: list[Flaw] = []
    for resource in accounts[:MOST_VERIFIED]:
        found = await store.accounts.find(resource.name)
        if isinstance(found, Account):
            flaws += await store.upkeep.verify(
                found.account_id, reads_messages=True, progress=lambda _done, _count: None
            )
    return flaws


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
    flaws = await flaws_of(opened)
    await opened.close()
    assert flaws == []


@pytest.fixture
async def account_id(store: Store) -> AccountId:
    return await make_account(store)
