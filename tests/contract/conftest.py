"""One fixture for each engine: another engine adds a line to ENGINES and passes the same suites."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import cast

import pytest

from mailstack.model.ids import AccountId
from mailstack.model.principal import Account
from mailstack.model.resource import Kind
from mailstack.model.upkeep import Flaw
from mailstack.store.memory.store import MemoryStore
from mailstack.store.sqlite.open import open_store
from tests.support.fake_clock import FakeClock
from tests.support.recording_bus import RecordingBus
from tests.support.stores import Store, make_account

OpenStore = Callable[[Path, FakeClock, RecordingBus], Awaitable[Store]]


async def open_sqlite(path: Path, clock: FakeClock, bus: RecordingBus) -> Store:
    return await open_store(path, clock=clock, bus=bus)


async def open_memory(path: Path, clock: FakeClock, bus: RecordingBus) -> Store:
    return cast(Store, WholeMemoryStore(clock=clock, bus=bus))  # tests marked in_memory use no other port


class WholeMemoryStore(MemoryStore):
    """With what the fixture asks of every engine."""

    async def close(self) -> None: ...


MOST_VERIFIED = 5

ENGINES: tuple[OpenStore, ...] = (open_sqlite,)
IN_MEMORY: tuple[OpenStore, ...] = (open_memory,)
"""For tests marked in_memory: what delivery and plans ask of a store, which is all that this engine has."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "store" in metafunc.fixturenames:
        engines = ENGINES + IN_MEMORY * any(metafunc.definition.iter_markers("in_memory"))
        names = [engine.__name__.removeprefix("open_") for engine in engines]
        metafunc.parametrize("open_engine", engines, ids=names)


async def flaws_of(store: Store) -> list[Flaw]:
    """Of the accounts that there are when the test is over, while they are few."""
    if isinstance(store, MemoryStore):
        return []
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


@pytest.fixture
async def store(open_engine: OpenStore, tmp_path: Path, clock: FakeClock, bus: RecordingBus) -> AsyncIterator[Store]:
    opened = await open_engine(tmp_path / "store", clock, bus)
    yield opened
    flaws = await flaws_of(opened)
    await opened.close()
    assert flaws == []


@pytest.fixture
async def account_id(store: Store) -> AccountId:
    return await make_account(store)
