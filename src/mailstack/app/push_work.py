"""Pushing to the push services of clients, as a worker does it and as its generation says."""

import asyncio
import os
from collections.abc import Callable

from mailstack.app.build import Adapters
from mailstack.ports.push_service import PushService
from mailstack.services.push.sender import PushSender, PushWorld

OWNER_BYTES = 8


class PushWork:
    """Begins at once. service: of the generation that serves."""

    def __init__(self, adapters: Adapters, service: Callable[[], PushService]) -> None:
        store = adapters.store
        world = PushWorld(
            subscriptions=store.push_subscriptions,
            accounts=store.accounts,
            web_sessions=store.web_sessions,
            locks=store.locks,
            feed=adapters.feed,
            bus=adapters.bus,
            service=service,
            clock=adapters.clock,
            owner=f"{os.getpid()}-{adapters.token(OWNER_BYTES).hex()}",
        )
        self._task = asyncio.get_running_loop().create_task(PushSender(world).run())

    async def end(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
