"""Sessions of browsers: ports.web_sessions in SQL."""

from collections.abc import Sequence

from mailstack.model.errors import AlreadyExists, NotFound
from mailstack.model.ids import AccountId
from mailstack.model.instant import Instant
from mailstack.model.web_session import IDLE_MS, LONGEST_MS, WebSession
from mailstack.ports.bus import account_topic
from mailstack.store.sql.app_passwords import OWNER
from mailstack.store.sql.database import Database, Row, Transaction

COLUMNS = "digest, account_id, password_mark, created_at, used_at, peer_host, agent"
FIND = f"SELECT {COLUMNS} FROM web_session WHERE digest = ?"  # noqa: S608  a constant
OF_ACCOUNT = f"SELECT {COLUMNS} FROM web_session WHERE account_id = ? ORDER BY used_at DESC, digest"  # noqa: S608  a constant
ADD = f"INSERT INTO web_session ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING 1"  # noqa: S608  a constant
NOTE_USE = "UPDATE web_session SET used_at = ?, peer_host = ? WHERE digest = ?"
END = "DELETE FROM web_session WHERE digest = ?"
FORGET = "DELETE FROM web_session WHERE used_at <= ? OR created_at <= ? RETURNING 1"
FORGET_WEB_SESSIONS = "DELETE FROM web_session WHERE account_id = ?"


class SqlWebSessions:
    def __init__(self, system: Database) -> None:
        self._system = system

    async def add(self, session: WebSession, *, most: int) -> None:
        def work(transaction: Transaction) -> None:
            account_id = session.account_id
            if transaction.row(OWNER, (account_id,)) is None:
                raise NotFound(f"there is no account {account_id}")
            if transaction.row(ADD, _row_of(session)) is None:
                raise AlreadyExists("a session with this cookie is there already")
            others = [each for each in _of_account(transaction, account_id) if each.digest != session.digest]
            _end(transaction, others[most - 1 :])

        await self._system.write(work)

    async def find(self, digest: bytes, *, now: Instant) -> WebSession | None:
        row = await self._system.row(FIND, (digest,))
        found = None if row is None else _session(row)
        return found if found is not None and now < found.ends_at else None

    async def of_account(self, account_id: AccountId, *, now: Instant) -> Sequence[WebSession]:
        rows = await self._system.rows(OF_ACCOUNT, (account_id,))
        return [each for each in map(_session, rows) if now < each.ends_at]

    async def note_use(self, digest: bytes, *, at: Instant, peer_host: str) -> None:
        await self._system.write(lambda transaction: transaction.run(NOTE_USE, (at, peer_host, digest)))

    async def end(self, account_id: AccountId, session_ids: Sequence[str] | None = None, *, but: str = "") -> int:
        def work(transaction: Transaction) -> int:
            sessions = _of_account(transaction, account_id)
            going = [
                each
                for each in sessions
                if each.session_id != but and (session_ids is None or each.session_id in session_ids)
            ]
            _end(transaction, going)
            return len(going)

        return await self._system.write(work)

    async def forget(self, *, now: Instant) -> int:
        before = (now - IDLE_MS, now - LONGEST_MS)
        return len(await self._system.write(lambda transaction: transaction.rows(FORGET, before)))


def _of_account(transaction: Transaction, account_id: AccountId) -> list[WebSession]:
    return [_session(row) for row in transaction.rows(OF_ACCOUNT, (account_id,))]


def _end(transaction: Transaction, sessions: Sequence[WebSession]) -> None:
    for each in sessions:
        transaction.run(END, (each.digest,))
    for account_id in {each.account_id for each in sessions}:
        transaction.announce(account_topic(account_id))


def _session(row: Row) -> WebSession:
    digest, account_id, password_mark, created_at, used_at, peer_host, agent = row
    return WebSession(
        digest=bytes(digest),
        account_id=AccountId(account_id),
        password_mark=bytes(password_mark),
        created_at=Instant(created_at),
        used_at=Instant(used_at),
        peer_host=peer_host,
        agent=agent,
    )


def _row_of(one: WebSession) -> tuple[str | bytes | int, ...]:
    times = (one.created_at, one.used_at)
    return (one.digest, one.account_id, one.password_mark, *times, one.peer_host, one.agent)
