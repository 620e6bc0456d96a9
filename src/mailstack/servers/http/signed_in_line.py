"""A line that a browser has by its cookie: it ends when that session does, as by signing out."""

import asyncio
from collections.abc import Callable

import structlog

from mailstack.model.errors import DomainError
from mailstack.model.principal import Account
from mailstack.ports.accounts import Accounts
from mailstack.ports.bus import Bus, account_topic
from mailstack.servers.conversation import Farewell
from mailstack.servers.http.line import Guest, Line
from mailstack.services.identity.web_logins import WebLogin, WebLogins

log = structlog.get_logger()


class SignedInGuest:
    """Works as servers.http.line.Guest, for another. Whoever ends sessions wakes who watches the account."""

    def __init__(self, guest: Guest, web_login: WebLogin, web_logins: WebLogins, bus: Bus) -> None:
        self._guest = guest
        self._web_login = web_login
        self._web_logins = web_logins
        self._bus = bus
        self._end_watch: Callable[[], None] | None = None
        self._looking: asyncio.Task[None] | None = None
        self._must_look = False

    @property
    def kind(self) -> str:
        return self._guest.kind

    @property
    def account(self) -> Account:
        return self._guest.account

    @property
    def accounts(self) -> Accounts:
        return self._guest.accounts

    def begin(self, line: Line) -> None:
        self._guest.begin(line)
        self._end_watch = self._bus.watch(account_topic(self.account.account_id), self._look)
        self._look()  # it may have ended before it was watched

    def received(self, data: bytes) -> None:
        self._guest.received(data)

    def ready(self) -> None:
        self._guest.ready()

    def end(self, farewell: Farewell | None) -> None:
        self._guest.end(farewell)

    def lost(self) -> None:
        if self._end_watch is not None:
            self._end_watch()
            self._end_watch = None
        if self._looking is not None:
            self._looking.cancel()
        self._guest.lost()

    def _look(self) -> None:
        self._must_look = True
        if self._looking is None or self._looking.done():
            self._looking = asyncio.get_running_loop().create_task(self._look_while_woken())

    async def _look_while_woken(self) -> None:
        while self._must_look:
            self._must_look = False
            try:
                is_over = await self._web_logins.has_ended(self._web_login)
            except DomainError as fault:
                log.warning("a session cannot be looked up", error=type(fault).__name__, detail=fault.detail)
                return
            if is_over:
                log.info("sent away", service="http", account=self.account.login, reason="signed out")
                self.end(Farewell("Signed out"))
                return
