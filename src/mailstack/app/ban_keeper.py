"""Keeps one worker's bans as the store has them, and stores those that it has learned.

Woken by every node that bans or lifts; a wake-up that was lost is made good by a look now and then.
"""

import asyncio

import structlog

from mailstack.app.build import Adapters
from mailstack.model.conduct import Ban, next_ban
from mailstack.model.errors import DomainError
from mailstack.ports.bus import BAN_TOPIC

log = structlog.get_logger()

LOOK_EVERY_S = 30.0


class BanKeeper:
    """Begins at once, ends when cancelled by `end`."""

    def __init__(self, adapters: Adapters) -> None:
        self._adapters = adapters
        self._wake = asyncio.Event()
        adapters.conduct.on_ban = self._wake.set
        self._end_watch = adapters.bus.watch(BAN_TOPIC, self._wake.set)
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def end(self) -> None:
        self._end_watch()
        self._adapters.conduct.on_ban = None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self._exchange()
            except (DomainError, OSError) as fault:
                log.warning("bans are neither read nor kept", fault=repr(fault))
            except Exception:  # a bug met here must not leave this worker without bans for good
                log.exception("bans not exchanged")
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _exchange(self) -> None:
        conduct, store = self._adapters.conduct, self._adapters.store
        for ban in conduct.unstored():
            conduct.stored(await self._store(ban))
        conduct.show(await store.bans.in_force(now=self._adapters.clock()))

    async def _store(self, ban: Ban) -> Ban:
        bans, rules = self._adapters.store.bans, self._adapters.conduct.rules
        last = await bans.last(ban.peer)
        if rules is None or (last is not None and last.until >= ban.until):
            return ban  # another worker was faster, or bans were switched off
        lasting = next_ban(ban.peer, ban.reason, ban.since, last=last, rules=rules)
        await bans.put(lasting)
        return lasting
