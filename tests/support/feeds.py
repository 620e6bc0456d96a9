"""A feed of states on a real store, as a worker runs one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from mailstack.app.build import sources_of
from mailstack.ports.bus import Bus
from mailstack.ports.store import Store
from mailstack.services.states.feed import StateFeed


@asynccontextmanager
async def running_feed(store: Store, bus: Bus) -> AsyncIterator[StateFeed]:
    feed = StateFeed(sources_of(store), store.sharing, bus)
    running = asyncio.create_task(feed.run())
    try:
        yield feed
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
