"""A watcher of a bus that counts how often it was woken, and can be waited for."""

import asyncio
from collections.abc import Callable

from mailstack.ports.bus import Bus

TIMEOUT_S = 60
AGAIN_S = 0.05


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


async def reach(sender: Bus, topic: str, woken: Wakes) -> None:
    """Publishes until it arrives: an event may be lost, as one is that nobody is known to listen for yet."""
    async with asyncio.timeout(TIMEOUT_S):
        while not woken.count:
            sender.publish(topic)
            await asyncio.sleep(AGAIN_S)


async def eventually(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(TIMEOUT_S):
        while not is_so():  # noqa: ASYNC110  nothing tells when
            await asyncio.sleep(AGAIN_S)
