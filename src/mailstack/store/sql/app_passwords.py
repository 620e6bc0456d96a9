"""App passwords: ports.app_passwords in SQL, and the one look at them that a login takes."""

from collections.abc import Sequence

from mailstack.model.app_password import AppPassword, AppService
from mailstack.model.errors import AlreadyExists, NotFound, TooMany
from mailstack.model.ids import AccountId, AppPasswordId
from mailstack.model.instant import Instant
from mailstack.model.scram import parse_verifier
from mailstack.ports.bus import APP_PASSWORD_TOPIC, account_topic
from mailstack.store.sql.database import Database, Row, Transaction

COLUMNS = "app_password_id, account_id, name, digest, verifier, services, created_at, expires_at, used_at"
FIND_APP_PASSWORD = f"SELECT {COLUMNS} FROM app_password WHERE digest = ?"  # noqa: S608  a constant
# Writers of one account come one after the other.
OWNER = "SELECT 1 FROM account WHERE account_id = ? /*+ FOR NO KEY UPDATE*/"
COUNT = "SELECT COUNT(*) FROM app_password WHERE account_id = ?"
ADD = f"INSERT INTO app_password ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING 1"  # noqa: S608  a constant
OF_ACCOUNT = f"SELECT {COLUMNS} FROM app_password WHERE account_id = ? ORDER BY created_at, app_password_id"  # noqa: S608  a constant
REVOKE = f"DELETE FROM app_password WHERE account_id = ? AND app_password_id = ? RETURNING {COLUMNS}"  # noqa: S608  a constant
NOTE_USE = "UPDATE app_password SET used_at = ? WHERE app_password_id = ?"
NOTE_FIRST_USE = "UPDATE app_password SET used_at = ? WHERE app_password_id = ? AND used_at IS NULL"
HAS_ENDED = "SELECT 1 FROM app_password WHERE expires_at IS NOT NULL AND expires_at <= ? LIMIT 1"
END = f"DELETE FROM app_password WHERE expires_at IS NOT NULL AND expires_at <= ? RETURNING {COLUMNS}"  # noqa: S608  a constant
FORGET_APP_PASSWORDS = "DELETE FROM app_password WHERE account_id = ?"


class SqlAppPasswords:
    def __init__(self, system: Database) -> None:
        self._system = system

    async def add(self, app_password: AppPassword, *, most: int) -> None:
        def work(transaction: Transaction) -> None:
            account_id = app_password.account_id
            if transaction.row(OWNER, (account_id,)) is None:
                raise NotFound(f"there is no account {account_id}")
            if transaction.one(COUNT, (account_id,))[0] >= most:
                raise TooMany(f"an account has at most {most} app passwords")
            if transaction.row(ADD, _row_of(app_password)) is None:
                raise AlreadyExists(f"an app password {app_password.app_password_id} is there already")

        await self._system.write(work)

    async def of_account(self, account_id: AccountId) -> Sequence[AppPassword]:
        return [app_password_of(row) for row in await self._system.rows(OF_ACCOUNT, (account_id,))]

    async def revoke(self, account_id: AccountId, app_password_id: AppPasswordId) -> AppPassword:
        def work(transaction: Transaction) -> AppPassword:
            gone = _told(transaction, transaction.rows(REVOKE, (account_id, app_password_id)))
            if not gone:
                raise NotFound(f"the account has no app password {app_password_id}")
            return gone[0]

        return await self._system.write(work)

    async def note_use(self, app_password_id: AppPasswordId, *, at: Instant) -> None:
        await self._system.write(lambda transaction: transaction.run(NOTE_USE, (at, app_password_id)))

    async def note_first_use(self, app_password_id: AppPasswordId, *, at: Instant) -> bool:
        row = (at, app_password_id)
        return await self._system.write(lambda transaction: transaction.run_counted(NOTE_FIRST_USE, row)) > 0

    async def end(self, *, now: Instant) -> Sequence[AppPassword]:
        if await self._system.row(HAS_ENDED, (now,)) is None:
            return ()
        return await self._system.write(lambda transaction: _told(transaction, transaction.rows(END, (now,))))


def app_password_of(row: Row) -> AppPassword:
    app_password_id, account_id, name, digest, verifier, services, created_at, expires_at, used_at = row
    return AppPassword(
        app_password_id=AppPasswordId(app_password_id),
        account_id=AccountId(account_id),
        name=name,
        digest=bytes(digest),
        verifier=parse_verifier(verifier),
        # A service of a later version is none here: less is safe.
        services=frozenset(service for service in AppService if service in services.split()),
        created_at=Instant(created_at),
        expires_at=None if expires_at is None else Instant(expires_at),
        used_at=None if used_at is None else Instant(used_at),
    )


def _row_of(one: AppPassword) -> tuple[str | bytes | int | None, ...]:
    services = " ".join(sorted(one.services))
    times = (one.created_at, one.expires_at, one.used_at)
    return (one.app_password_id, one.account_id, one.name, one.digest, str(one.verifier), services, *times)


def _told(transaction: Transaction, rows: Sequence[Row]) -> list[AppPassword]:
    """Of those that are gone."""
    gone = [app_password_of(row) for row in rows]
    for account_id in {one.account_id for one in gone}:
        transaction.announce(account_topic(account_id))
    if gone:
        transaction.announce(APP_PASSWORD_TOPIC)
    return gone
