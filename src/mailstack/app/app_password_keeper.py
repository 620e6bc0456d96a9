"""Ends the sessions of one worker whose app password has ended, and the app passwords whose time is over.

Woken by whoever revokes one; a wake-up that was lost is made good by a look now and then.
"""

from collections.abc import Awaitable, Callable

import structlog

from mailstack.app.build import Adapters
from mailstack.app.woken import Woken
from mailstack.model.app_password import AppPassword
from mailstack.ports.bus import APP_PASSWORD_TOPIC

LOOK_EVERY_S = 60.0

log = structlog.get_logger()


class AppPasswordKeeper:
    """Begins at once, ends when cancelled by `end`. recheck: sends those away who came in by one that is gone."""

    def __init__(self, adapters: Adapters, recheck: Callable[[], Awaitable[None]]) -> None:
        self._adapters = adapters
        self._recheck = recheck
        self._woken = Woken(
            self._look,
            bus=adapters.bus,
            topic=APP_PASSWORD_TOPIC,
            every_s=LOOK_EVERY_S,
            failing="app passwords that have ended are not looked for",
        )

    async def end(self) -> None:
        await self._woken.end()

    async def _look(self) -> None:
        for ended in await self._adapters.store.app_passwords.end(now=self._adapters.clock()):
            await self._tell(ended)
        await self._recheck()

    async def _tell(self, ended: AppPassword) -> None:
        account = await self._adapters.store.accounts.account(ended.account_id)
        login = account.login if account else ""
        log.info("app password expired", account=login, app_password=ended.app_password_id, name=ended.name)
