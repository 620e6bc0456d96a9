"""Ten nodes on one PostgreSQL: how many connections they have under a burst, and once they are idle again.

A node is here what its one worker has of the database, the store and the bus; ten whole servers would show no more.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from mailstack.app.clock import system_clock
from mailstack.app.runfiles import run_folder
from mailstack.app.store_address import StoreAddress
from mailstack.app.stores import open_bus, open_store
from mailstack.ports.store import Store
from mailstack.store.postgres import pool
from tests.support.postgres import QUICK, PostgresServer, fresh_database, running_postgres
from tests.support.running import until

pytestmark = pytest.mark.slow

NODES = 10
BURST = 50
FOR_EVENTS = 1
"""Of each node, by NOTIFY."""
KEPT = 1
"""Of each pool, where somebody asks something now and then."""


@pytest.fixture
def postgres() -> Iterator[PostgresServer]:
    with running_postgres(settings=(*QUICK, "max_connections=100")) as server:
        yield server


@pytest.fixture
def database(postgres: PostgresServer) -> Iterator[str]:
    with fresh_database(postgres) as url:
        yield url


@pytest.fixture
async def nodes(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[Store]]:
    monkeypatch.setattr(pool, "IDLE_S", 0.5)
    async with AsyncExitStack() as stack:
        opened = []
        for number in range(NODES):
            address = StoreAddress(folder=tmp_path / str(number), database=database)
            run_folder(address.folder).mkdir(parents=True)
            bus = open_bus(address)
            store = await open_store(address, clock=system_clock, bus=bus)
            stack.push_async_callback(store.close)
            await bus.start()
            stack.push_async_callback(bus.close)
            opened.append(store)
        yield opened


async def test_ten_nodes_keep_to_their_bound_and_are_content_with_two_each_when_idle(
    nodes: list[Store], postgres: PostgresServer, database: str
) -> None:
    name, most = database.rpartition("/")[2], 0

    def count() -> int:
        ((found,),) = postgres.run(f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}'")  # noqa: S608
        assert isinstance(found, int)
        return found

    async def were_busy() -> bool:
        """More were seen than are kept; it may take several looks."""
        nonlocal most
        asking = asyncio.gather(*(store.now() for store in nodes for _ in range(BURST)))
        while not asking.done():
            most = max(most, await asyncio.to_thread(count))
        await asking
        return most > NODES * (KEPT + FOR_EVENTS)

    await until(were_busy)
    assert most <= NODES * (pool.MOST + FOR_EVENTS)

    async def is_idle() -> bool:
        await asyncio.gather(*(store.now() for store in nodes))
        return await asyncio.to_thread(count) <= NODES * (KEPT + FOR_EVENTS)

    await until(is_idle)
