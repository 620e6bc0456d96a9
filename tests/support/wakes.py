"""A watcher of a bus that counts how often it was woken, and can be waited for."""

import asyncio

TIMEOUT_S = 5


class Wakes:
    def __init__(self) -> None:
        self.count = 0
        self._event = asyncio.Event()

    def __call__(self) -> None:
        self.count += 1
        self._event.set()

    async def wait(self) -> None:
        async with asyncio.timeout(TIMEOUT_S):
            await self._event.wait()
        self._event.clear()
