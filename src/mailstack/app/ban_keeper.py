"""Keeps one worker's bans as the store has them, and stores those that it has learned.

Woken by every node that bans or lifts; a wake-up that was lost is made good by a look now and then.
"""

from mailstack.app.build import Adapters
from mailstack.app.woken import Woken
from mailstack.model.conduct import Ban, next_ban
from mailstack.ports.bus import BAN_TOPIC

LOOK_EVERY_S = 30.0


class BanKeeper:
    """Begins at once, ends when cancelled by `end`."""

    def __init__(self, adapters: Adapters) -> None:
        self._adapters = adapters
        self._woken = Woken(
            self._exchange,
            bus=adapters.bus,
            topic=BAN_TOPIC,
            every_s=LOOK_EVERY_S,
            failing="bans are neither read nor kept",
        )
        adapters.conduct.on_ban = self._woken.wake

    async def end(self) -> None:
        self._adapters.conduct.on_ban = None
        await self._woken.end()

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
