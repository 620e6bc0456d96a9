"""Pushing to the push services of clients, as a worker does it and as its generation says."""

import asyncio
import os
from collections.abc import Callable

from mailstack.app.build import Adapters, RunSettings
from mailstack.model.networks import LOOPBACK, networks_of
from mailstack.model.resource import ServerBody
from mailstack.net.own_address import is_own
from mailstack.ports.push_service import PushService
from mailstack.services.push.sender import PushSender, PushWorld
from mailstack.services.push.targets import PushTargets

OWNER_BYTES = 8


def push_targets_of(server: ServerBody, settings: RunSettings) -> PushTargets:
    # A sandbox tells nobody elsewhere anything.
    is_sandbox = settings.trust_loopback
    return PushTargets(
        also=LOOPBACK if is_sandbox else networks_of(server.push_to),
        has_internet=not is_sandbox,
        own=frozenset(server.addresses),
        is_own=is_own,
    )


class PushWork:
    """Begins at once. service: of the generation that serves."""

    def __init__(self, adapters: Adapters, service: Callable[[], PushService]) -> None:
        store = adapters.store
        world = PushWorld(
            subscriptions=store.push_subscriptions,
            accounts=store.accounts,
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
