"""Work in the background of a test: it ends with the block, and what it raised is the test's."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any

DEADLINE_S = 120.0


@contextlib.asynccontextmanager
async def running(work: Coroutine[Any, Any, None]) -> AsyncIterator["asyncio.Task[None]"]:
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        if not task.done():
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until_seen(condition: Callable[[], bool]) -> None:
    """As `until`, of what can be looked at without waiting."""
    async with asyncio.timeout(DEADLINE_S):
        while not condition():  # noqa: ASYNC110 - files and other processes tell nobody
            await asyncio.sleep(0.005)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Returns when it holds; TimeoutError after two minutes."""
    async with asyncio.timeout(DEADLINE_S):
        while not await condition():  # noqa: ASYNC110 - the condition may be in a store of another process
            await asyncio.sleep(0.005)
