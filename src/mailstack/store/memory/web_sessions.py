"""Sessions of browsers, in memory."""

from collections.abc import Sequence
from dataclasses import replace

from mailstack.model.errors import AlreadyExists, NotFound
from mailstack.model.ids import AccountId
from mailstack.model.instant import Instant
from mailstack.model.web_session import WebSession
from mailstack.ports.bus import Bus, account_topic
from mailstack.store.memory.accounts import MemoryAccounts


class MemoryWebSessions:
    """Works as ports.web_sessions.WebSessions."""

    def __init__(self, accounts: MemoryAccounts, bus: Bus) -> None:
        self._accounts = accounts
        self._bus = bus
        self._kept: dict[bytes, WebSession] = {}

    async def add(self, session: WebSession, *, most: int) -> None:
        if await self._accounts.account(session.account_id) is None:
            raise NotFound(f"there is no account {session.account_id}")
        if session.digest in self._kept:
            raise AlreadyExists("a session with this cookie is there already")
        self._end(self._of_account(session.account_id)[most - 1 :])
        self._kept[session.digest] = session

    async def find(self, digest: bytes, *, now: Instant) -> WebSession | None:
        found = self._kept.get(digest)
        return found if found is not None and now < found.ends_at else None

    async def of_account(self, account_id: AccountId, *, now: Instant) -> Sequence[WebSession]:
        return [each for each in self._of_account(account_id) if now < each.ends_at]

    async def note_use(self, digest: bytes, *, at: Instant, peer_host: str) -> None:
        if digest in self._kept:
            self._kept[digest] = replace(self._kept[digest], used_at=at, peer_host=peer_host)

    async def end(self, account_id: AccountId, session_ids: Sequence[str] | None = None, *, but: str = "") -> int:
        going = [
            each
            for each in self._of_account(account_id)
            if each.session_id != but and (session_ids is None or each.session_id in session_ids)
        ]
        self._end(going)
        return len(going)

    async def forget(self, *, now: Instant) -> int:
        ended = [each for each in self._kept.values() if each.ends_at <= now]
        for each in ended:
            del self._kept[each.digest]
        return len(ended)

    def _of_account(self, account_id: AccountId) -> list[WebSession]:
        found = [each for each in self._kept.values() if each.account_id == account_id]
        return sorted(found, key=lambda each: (-each.used_at, each.digest))

    def _end(self, sessions: Sequence[WebSession]) -> None:
        for each in sessions:
            del self._kept[each.digest]
            self._bus.publish(account_topic(each.account_id))
