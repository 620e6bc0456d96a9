"""Tokens of the API: ports.tokens in SQL."""

from collections.abc import Sequence

from mailstack.model.errors import AlreadyExists
from mailstack.model.ids import TokenId
from mailstack.model.instant import Instant
from mailstack.model.token import Scope, Token
from mailstack.store.sql.database import Database, Row, Transaction

COLUMNS = "token_id, name, secret_hash, scopes, maker, created_at, expires_at, used_at, revoked_at"
ADD = f"INSERT INTO token ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING 1"  # noqa: S608  a constant
FIND = f"SELECT {COLUMNS} FROM token WHERE token_id = ?"  # noqa: S608  a constant
ALL = f"SELECT {COLUMNS} FROM token ORDER BY created_at, token_id"  # noqa: S608  a constant
REVOKE = "UPDATE token SET revoked_at = ? WHERE token_id = ? AND revoked_at IS NULL"
NOTE_USE = "UPDATE token SET used_at = ? WHERE token_id = ?"


class SqlTokens:
    def __init__(self, system: Database) -> None:
        self._system = system

    async def add(self, token: Token) -> None:
        def work(transaction: Transaction) -> None:
            if transaction.row(ADD, _row_of(token)) is None:
                raise AlreadyExists(f"a token {token.token_id} is there already")

        await self._system.write(work)

    async def find(self, token_id: TokenId) -> Token | None:
        row = await self._system.row(FIND, (token_id,))
        return None if row is None else _token_of(row)

    async def list(self) -> Sequence[Token]:
        return [_token_of(row) for row in await self._system.rows(ALL)]

    async def revoke(self, token_ids: Sequence[TokenId], *, at: Instant) -> None:
        rows = [(at, token_id) for token_id in token_ids]
        await self._system.write(lambda transaction: transaction.run_many(REVOKE, rows))

    async def note_use(self, token_id: TokenId, *, at: Instant) -> None:
        await self._system.write(lambda transaction: transaction.run(NOTE_USE, (at, token_id)))


def _row_of(token: Token) -> tuple[str | bytes | int | None, ...]:
    scopes = " ".join(sorted(token.scopes))
    times = (token.created_at, token.expires_at, token.used_at, token.revoked_at)
    return (token.token_id, token.name, token.secret_hash, scopes, token.maker, *times)


def _token_of(row: Row) -> Token:
    token_id, name, secret_hash, scopes, maker, *times = row
    created_at, expires_at, used_at, revoked_at = (None if time is None else Instant(time) for time in times)
    return Token(
        token_id=TokenId(token_id),
        name=name,
        secret_hash=bytes(secret_hash),
        # A scope of a later version is none here: less is safe.
        scopes=frozenset(scope for scope in Scope if scope in scopes.split()),
        maker=TokenId(maker),
        created_at=created_at or Instant(0),
        expires_at=expires_at,
        used_at=used_at,
        revoked_at=revoked_at,
    )
