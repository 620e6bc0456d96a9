"""What the models learned: ports.spam_tables in SQL. Tables are zstd frames: most of their slots are empty."""

from collections.abc import Mapping
from functools import partial

from mailstack.model.errors import Conflict
from mailstack.model.ids import AccountId
from mailstack.model.spam_lesson import SharedNews
from mailstack.ports.bus import SPAM_TOPIC
from mailstack.ports.locks import Lease
from mailstack.ports.spam_tables import MOST_OCTETS
from mailstack.store.sql.compress import Codec
from mailstack.store.sql.database import Connection, Database, Transaction
from mailstack.store.sql.locks import check_lease

FIND = "SELECT octets FROM spam_model WHERE account_id = ?"
CHANGED = "SELECT account_id, number FROM spam_model WHERE number > ? ORDER BY number"
NEXT_CHANGE = "SELECT COALESCE(MAX(number), 0) + 1 FROM spam_model"
PUT = """INSERT INTO spam_model (account_id, number, octets) VALUES (?, ?, ?)
    ON CONFLICT (account_id) DO UPDATE SET number = excluded.number, octets = excluded.octets"""
EMPTY_MODEL = "UPDATE spam_model SET octets = ? WHERE account_id = ?"
# The last stays, empty: or the next change would have a number that others have seen already.
FORGET_MODEL = "DELETE FROM spam_model WHERE account_id = ? AND number < (SELECT MAX(number) FROM spam_model)"
FORGET_LESSONS = "DELETE FROM spam_lesson WHERE account_id = ?"
FORGET_VOTES_OF = "DELETE FROM spam_vote WHERE account_id = ?"
LAST_NUMBER = """SELECT COALESCE((SELECT MAX(number) FROM spam_update), (SELECT number FROM spam_base), 0)"""
BASE_NUMBER = "SELECT COALESCE((SELECT number FROM spam_base), 0)"
BASE = "SELECT octets FROM spam_base"
UPDATES = "SELECT octets FROM spam_update WHERE number > ? ORDER BY number"
ADD_UPDATE = "INSERT INTO spam_update (number, octets) VALUES (?, ?)"
PUT_BASE = """INSERT INTO spam_base (only_row, number, octets) VALUES (1, ?, ?)
    ON CONFLICT (only_row) DO UPDATE SET number = excluded.number, octets = excluded.octets"""
CLEAR_LOG = "DELETE FROM spam_update"
FORGET_SHARED_LESSONS = "UPDATE spam_lesson SET shared_update = ? WHERE shared_update <> ?"
LOG_LENGTH = "SELECT COUNT(*) FROM spam_update"
_NOTHING = b""
"""Of an account that begins anew: those who know its table are to hear of it."""


class SqlSpamTables:
    def __init__(self, system: Database) -> None:
        self._system = system
        self._codec = Codec()

    async def of_account(self, account_id: AccountId) -> bytes | None:
        row = await self._system.row(FIND, (account_id,))
        return self._opened(bytes(row[0])) if row is not None and row[0] else None

    async def changed_after(self, number: int) -> Mapping[AccountId, int]:
        return {AccountId(account_id): changed for account_id, changed in await self._system.rows(CHANGED, (number,))}

    async def replace_account(self, account_id: AccountId, table: bytes, *, lease: Lease | None = None) -> None:
        frame = await self._system.in_thread(self._codec.compress, table)

        def work(transaction: Transaction) -> None:
            check_lease(transaction, lease)
            _replace(account_id, frame, transaction)

        await self._system.write(work)

    async def forget_account(self, account_id: AccountId) -> None:
        def work(transaction: Transaction) -> None:
            forget_account(transaction, account_id)
            _replace(account_id, _NOTHING, transaction)

        await self._system.write(work)

    async def shared_number(self) -> int:
        return int((await self._system.one(LAST_NUMBER))[0])

    async def shared_after(self, number: int) -> SharedNews:
        frame, updates, last = await self._system.read_long(partial(_news, number))
        base = None if frame is None else await self._system.in_thread(self._opened, frame)
        return SharedNews(base=base, updates=updates, number=last)

    async def replace_shared(self, table: bytes, *, after: int, is_anew: bool = False) -> None:
        frame = await self._system.in_thread(self._codec.compress, table)

        def work(transaction: Transaction) -> None:
            (last,) = transaction.one(LAST_NUMBER)
            if last != after:
                raise Conflict("the server learned something meanwhile")
            transaction.run(PUT_BASE, (after + 1, frame))
            transaction.run(CLEAR_LOG)
            if is_anew:
                transaction.run(FORGET_SHARED_LESSONS, (_NOTHING, _NOTHING))
            transaction.announce(SPAM_TOPIC)

        await self._system.write(work, is_long=True)

    async def log_length(self) -> int:
        return int((await self._system.one(LOG_LENGTH))[0])

    def _opened(self, frame: bytes) -> bytes:
        return self._codec.decompress(frame, limit_bytes=MOST_OCTETS)


def _replace(account_id: AccountId, frame: bytes, transaction: Transaction) -> None:
    put_table(transaction, account_id, frame)
    transaction.announce(SPAM_TOPIC)


def put_table(transaction: Transaction, account_id: AccountId, frame: bytes) -> None:
    (number,) = transaction.one(NEXT_CHANGE)
    transaction.run(PUT, (account_id, number, frame))


def forget_account(transaction: Transaction, account_id: str) -> None:
    transaction.run(EMPTY_MODEL, (_NOTHING, account_id))
    for statement in (FORGET_MODEL, FORGET_LESSONS, FORGET_VOTES_OF):
        transaction.run(statement, (account_id,))


def _news(number: int, connection: Connection) -> tuple[bytes | None, list[bytes], int]:
    with connection.snapshot():
        (last,), (base_number,) = connection.one(LAST_NUMBER), connection.one(BASE_NUMBER)
        frame = bytes(connection.one(BASE)[0]) if base_number > number else None
        updates = [bytes(row[0]) for row in connection.rows(UPDATES, (max(number, base_number),))]
    return frame, updates, int(last)
