"""Logins of browsers: a name and a password become a cookie, and a cookie becomes an account, or nothing."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog

from mailstack.model.instant import MINUTE_MS, Clock
from mailstack.model.principal import Ability, Account
from mailstack.model.web_session import (
    AGENT_LETTERS,
    SECRET_OCTETS,
    WebSession,
    cookie_text,
    digest_of_cookie,
    mark_of,
)
from mailstack.ports.accounts import Accounts
from mailstack.ports.web_sessions import WebSessions
from mailstack.services.identity.login import Login, LoginOrigin

SERVICE = "web"
MOST_SESSIONS = 50
"""Of one account. Who opens another closes the one that was used longest ago."""
USE_NOTED_EVERY_MS = 5 * MINUTE_MS

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class WebLogin:
    """Who is logged in on a page, now."""

    account: Account
    session: WebSession


@dataclass(frozen=True, slots=True, kw_only=True)
class WebLogins:
    """token: random octets."""

    login: Login
    accounts: Accounts
    sessions: WebSessions
    clock: Clock
    token: Callable[[int], bytes]

    async def open(self, username: str, password: str, *, peer_host: str, agent: str) -> tuple[WebLogin, str]:
        """With the cookie, which nobody will ever see again. Raises as Login.authenticate does."""
        origin = LoginOrigin(service=SERVICE, peer_host=peer_host)
        account = await self.login.authenticate(username, password, ability=Ability.READ, origin=origin)
        cookie, now = cookie_text(self.token(SECRET_OCTETS)), self.clock()
        digest = digest_of_cookie(cookie)
        session = WebSession(
            digest=digest,
            account_id=account.account_id,
            password_mark=mark_of(account.password_hash, digest),
            created_at=now,
            used_at=now,
            peer_host=peer_host,
            agent="".join(filter(str.isprintable, agent))[:AGENT_LETTERS],
        )
        await self.sessions.add(session, most=MOST_SESSIONS)
        return WebLogin(account=account, session=session), cookie

    async def find(self, cookie: str, *, peer_host: str) -> WebLogin | None:
        """None: it was never given out, has ended, or its account may not be read any more."""
        now = self.clock()
        session = await self.sessions.find(digest_of_cookie(cookie), now=now)
        if session is None:
            return None
        account = await self.accounts.account(session.account_id)
        if account is None or Ability.READ not in account.abilities:
            return None
        if not session.is_of(account.password_hash):
            return None
        if now - session.used_at >= USE_NOTED_EVERY_MS or session.peer_host != peer_host:
            await self.sessions.note_use(session.digest, at=now, peer_host=peer_host)
            session = replace(session, used_at=now, peer_host=peer_host)
        return WebLogin(account=account, session=session)

    async def has_ended(self, web_login: WebLogin) -> bool:
        return await self.sessions.find(web_login.session.digest, now=self.clock()) is None

    async def close(self, web_login: WebLogin) -> None:
        await self.sessions.end(web_login.account.account_id, [web_login.session.session_id])
        log.info("logged out", service=SERVICE, peer=web_login.session.peer_host, account=web_login.account.login)
