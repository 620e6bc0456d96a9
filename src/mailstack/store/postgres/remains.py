"""What destroyed accounts leave on PostgreSQL: their rows, where they lay, closed. store.sql.trash.Remains.

Their counter says what they are: 0 is in use, 1 in the trash, 2 on its way out for good and never to come back.
"""

from collections.abc import Mapping

from mailstack.model.errors import NotFound
from mailstack.model.ids import AccountId
from mailstack.store.postgres import schema_account
from mailstack.store.sql.database import Connection, Database, Transaction

ROWS_AT_ONCE = 1_000

DISCARD = "UPDATE counter SET is_closed = 1 WHERE is_closed = 0 AND account_id IN (SELECT account_id FROM trash)"
CLOSE = "UPDATE counter SET is_closed = 1 WHERE account_id = ? AND is_closed = 0"
OPEN = "UPDATE counter SET is_closed = 0 WHERE account_id = ? AND is_closed = 1"
CONDEMN = "UPDATE counter SET is_closed = 2 WHERE account_id = ? AND is_closed > 0"
HELD = """SELECT (SELECT COUNT(*) FROM message m WHERE m.account_id = c.account_id), c.used_bytes
    FROM counter c WHERE c.account_id = ? AND c.is_closed < 2"""
HELD_IN_TRASH = """SELECT c.account_id, held.messages, c.used_bytes
    FROM counter c JOIN (SELECT m.account_id, COUNT(*) AS messages FROM message m
        WHERE m.account_id IN (SELECT account_id FROM trash) GROUP BY m.account_id) AS held
        ON held.account_id = c.account_id
    WHERE c.is_closed < 2"""

KEYS = {
    "placement": "mailbox_id, uid",
    "message": "message_id",
    "blob": "blob_key",
    "head_pack": "block",
    "thread_key": "key",
    "change_log": "mod_seq, mailbox_id, uid",
    "search_index": "message_id, part",
    "search_partial": "message_id",
    "search_vocabulary": "chunk",
}
"""Of tables that may have millions of an account's rows, which go piece by piece; of others they go at once."""


class RowRemains:
    def __init__(self, system: Database) -> None:
        self._system = system

    def discard(self, transaction: Transaction) -> None:
        transaction.run(DISCARD)

    def close(self, transaction: Transaction, account_id: AccountId) -> None:
        transaction.run(CLOSE, (account_id,))

    def held(self, connection: Connection | Transaction, account_id: AccountId) -> tuple[int, int]:
        found = connection.row(HELD, (account_id,))
        return (0, 0) if found is None else (found[0], found[1])

    def held_in_trash(self, connection: Connection) -> Mapping[AccountId, tuple[int, int]]:
        return {AccountId(row[0]): (row[1], row[2]) for row in connection.rows(HELD_IN_TRASH)}

    def bring_back(self, transaction: Transaction, account_id: AccountId) -> None:
        if not transaction.run_counted(OPEN, (account_id,)):
            raise NotFound(f"account {account_id} holds no mail any more")

    async def remove(self, account_id: AccountId) -> None:
        condemned = await self._system.write(lambda transaction: transaction.run_counted(CONDEMN, (account_id,)))
        if not condemned:  # nothing ever came for it, or it was given back meanwhile
            return
        # Those that refer to others were made after them.
        tables = [table for migration in schema_account.MIGRATIONS for table in migration.tables]
        for table in reversed(tables):
            while await self._removed(table, account_id) == ROWS_AT_ONCE and table in KEYS:
                pass

    async def _removed(self, table: str, account_id: AccountId) -> int:
        values: tuple[str, ...]
        if keys := KEYS.get(table):
            statement = f"""DELETE FROM {table} WHERE account_id = ? AND ({keys}) IN
                (SELECT {keys} FROM {table} WHERE account_id = ? LIMIT {ROWS_AT_ONCE})"""  # noqa: S608 - names from here
            values = (account_id, account_id)
        else:
            statement, values = f"DELETE FROM {table} WHERE account_id = ?", (account_id,)  # noqa: S608 - as above
        return await self._system.write(lambda transaction: transaction.run_counted(statement, values))
