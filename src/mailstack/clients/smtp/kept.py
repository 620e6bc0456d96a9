"""Sessions that ended well and wait a moment for the next mail the same way: a handshake and a login saved.

The same way is the same hop (host, port, protocol, protection and credentials) from the same address of ours.
RFC 5321 §3.3, §4.1.1.10.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from mailstack.clients.smtp.session import Session
from mailstack.model.delivery import NextHop


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepLimits:
    """idle_s: less than any server's own patience. mails: over one session. per_hop, sessions: that wait at once."""

    idle_s: float = 2
    mails: int = 50
    per_hop: int = 5
    sessions: int = 100


class KeptSessions:
    def __init__(self, limits: KeepLimits) -> None:
        self._limits = limits
        self._by_hop: dict[NextHop, dict[Session, asyncio.Task[None]]] = {}
        self._leaving: set[asyncio.Task[None]] = set()

    def keep(self, hop: NextHop, session: Session) -> bool:
        """False: it is the caller's to end."""
        session.mails += 1
        if session.mails >= self._limits.mails or not session.is_quiet or self._is_full(hop):
            return False
        self._by_hop.setdefault(hop, {})[session] = asyncio.create_task(self._wait(hop, session))
        return True

    def take(self, hop: NextHop, fits: Callable[[Session], bool]) -> Session | None:
        """The one of those that fit that came last: the others run out of time. One that the server has closed, or has
        said something on, is of no more use."""
        for session in [each for each in reversed(self._by_hop.get(hop, {})) if fits(each)]:
            self._by_hop[hop].pop(session).cancel()
            self._tidy(hop)
            if session.is_quiet:
                return session
            session.abort()
        return None

    async def close(self) -> None:
        """Takes leave of all."""
        left = []
        for hop in tuple(self._by_hop):
            while (session := self.take(hop, lambda _: True)) is not None:
                left.append(session)
        await asyncio.gather(*(session.quit() for session in left), *self._leaving)

    async def _wait(self, hop: NextHop, session: Session) -> None:
        await asyncio.sleep(self._limits.idle_s)
        task = self._by_hop[hop].pop(session)
        self._tidy(hop)
        self._leaving.add(task)
        try:
            await session.quit()
        finally:
            self._leaving.discard(task)

    def _is_full(self, hop: NextHop) -> bool:
        total = sum(map(len, self._by_hop.values()))
        return total >= self._limits.sessions or len(self._by_hop.get(hop, ())) >= self._limits.per_hop

    def _tidy(self, hop: NextHop) -> None:
        if not self._by_hop[hop]:
            del self._by_hop[hop]
