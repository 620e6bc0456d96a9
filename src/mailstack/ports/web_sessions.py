"""Sessions of browsers: opened, found again, ended. Only digests are stored, never the cookies."""

from collections.abc import Sequence
from typing import Protocol

from mailstack.model.ids import AccountId
from mailstack.model.instant import Instant
from mailstack.model.web_session import WebSession


class WebSessions(Protocol):
    """One that has ended is not there. Where one is ended before its time, those who watch the account are woken."""

    async def add(self, session: WebSession, *, most: int) -> None:
        """most: of one account; the one that was used longest ago gives way. Raises NotFound where there is no such
        account, AlreadyExists for a digest that is there."""
        ...

    async def find(self, digest: bytes, *, now: Instant) -> WebSession | None: ...

    async def of_account(self, account_id: AccountId, *, now: Instant) -> Sequence[WebSession]:
        """The last used first."""
        ...

    async def note_use(self, digest: bytes, *, at: Instant, peer_host: str) -> None: ...

    async def end(self, account_id: AccountId, session_ids: Sequence[str] | None = None, *, but: str = "") -> int:
        """None: all of them, but that one. Returns how many there were."""
        ...

    async def forget(self, *, now: Instant) -> int:
        """Those that have ended; returns how many. Once a day is often enough."""
        ...
