"""Messages of one account: ports.messages in SQL. What happens inside the transactions is in appending, flagging,
copying and removal; here is what happens around them."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from mailstack.model.errors import Conflict, NotFound
from mailstack.model.ids import AccountId, BlobId, MailboxId, MessageId, Uid
from mailstack.model.instant import Clock
from mailstack.model.message import (
    Appended,
    Column,
    Copied,
    FlagChange,
    FlagsChanged,
    NewMessage,
    Placement,
    PlacementTable,
    StoredMessage,
)
from mailstack.model.numset import NumSet
from mailstack.ports.bus import account_topic
from mailstack.store.sql import appending, copying, flagging
from mailstack.store.sql.blobs import INLINE_LIMIT_BYTES, Blob, Blobs
from mailstack.store.sql.columns import read_columns
from mailstack.store.sql.counters import MAILBOX_EXISTS, next_mod_seq
from mailstack.store.sql.database import Connection, Database, Databases, Reading, Result, Row, Transaction
from mailstack.store.sql.listing import STORED_COLUMNS, PackedMessage, stored_message
from mailstack.store.sql.ranges import rows_in_ranges
from mailstack.store.sql.removal import DELETED_IN_RANGE, PLACEMENTS_IN_RANGE, remove_placements
from mailstack.store.sql.storing import INLINE_WRITES, tidy, write_messages
from mailstack.store.sql.tables import read_table

INLINE_ROWS = 1_000
INLINE_MESSAGES = 100

MAILBOX_SIZE = "SELECT messages FROM mailbox WHERE /*of*/ mailbox_id = ?"
PLACEMENTS = """SELECT uid, message_id, mod_seq, is_deleted, keywords FROM placement
    WHERE /*of*/ mailbox_id = ? AND uid BETWEEN ? AND ? ORDER BY uid"""
STORED_ONE = f"SELECT {STORED_COLUMNS} WHERE /*of m*/ m.message_id = ?"
STORED_AT_ONCE = 50
STORED_MANY = f"SELECT {STORED_COLUMNS} WHERE /*of m*/ m.message_id IN ({', '.join('?' * STORED_AT_ONCE)})"
FEW = 5
"""From here on one statement for many costs less than one for each."""
BYTES = """SELECT b.blob_id, m.size_bytes, b.content, b.file
    FROM message m JOIN blob b ON /*of b*/ b.blob_key = m.blob_key WHERE /*of m*/ m.message_id = ?"""
BYTES_IF_SMALL = BYTES.replace("b.content", f"CASE WHEN m.size_bytes <= {INLINE_LIMIT_BYTES} THEN b.content END")
USED = "SELECT used_bytes FROM counter /*whole*/"

EVERY_UID = NumSet(((1, 2**32 - 1),))


class SqlMessages:
    def __init__(self, databases: Databases, *, blobs: Blobs, clock: Clock) -> None:
        self._databases = databases
        self._blobs = blobs
        self._clock = clock

    async def append(
        self,
        account_id: AccountId,
        mailbox_id: MailboxId,
        messages: Sequence[NewMessage],
        *,
        quota_bytes: int | None = None,
    ) -> Sequence[Appended]:
        database = await self._databases.get(account_id)
        now = self._clock()

        def work(transaction: Transaction, packed: Sequence[PackedMessage]) -> list[Appended]:
            transaction.announce(account_topic(account_id))
            return appending.append(transaction, mailbox_id, packed, now=now, quota_bytes=quota_bytes)

        return await write_messages(database, self._blobs, account_id, messages, work)

    async def replace(
        self,
        account_id: AccountId,
        source: MailboxId,
        uid: Uid,
        target: MailboxId,
        message: NewMessage,
        *,
        quota_bytes: int | None = None,
    ) -> Appended:
        database = await self._databases.get(account_id)
        held = self._blobs.of_account(account_id)
        now = self._clock()

        def work(transaction: Transaction, packed: Sequence[PackedMessage]) -> Appended:
            rows = transaction.rows(PLACEMENTS_IN_RANGE, (source, uid, uid))
            if not rows:
                raise Conflict(f"message {uid} is no longer in mailbox {source}")
            files = remove_placements(transaction, source, rows, mod_seq=next_mod_seq(transaction), now=now)
            tidy(transaction, held, files)
            transaction.announce(account_topic(account_id))
            return appending.append(transaction, target, packed, now=now, quota_bytes=quota_bytes)[0]

        return await write_messages(database, self._blobs, account_id, [message], work)

    async def placements(
        self, account_id: AccountId, mailbox_id: MailboxId, uids: NumSet | None = None
    ) -> Sequence[Placement]:
        asked = EVERY_UID if uids is None else uids

        def reading(connection: Connection) -> list[Placement]:
            return _placements(connection, mailbox_id, asked)

        return await self._read_by_cost(account_id, mailbox_id, asked, reading, inline=INLINE_ROWS)

    async def columns(
        self, account_id: AccountId, mailbox_id: MailboxId, wanted: Sequence[Column], uids: NumSet | None = None
    ) -> Sequence[tuple[Any, ...]]:
        asked = EVERY_UID if uids is None else uids
        codec = self._blobs.codec

        def reading(connection: Connection) -> list[Row]:
            return read_columns(connection, mailbox_id, wanted, asked, codec)

        return await self._read_by_cost(account_id, mailbox_id, asked, reading, inline=INLINE_MESSAGES)

    async def table(self, account_id: AccountId, mailbox_id: MailboxId, uids: NumSet | None = None) -> PlacementTable:
        asked = EVERY_UID if uids is None else uids

        def reading(connection: Connection) -> PlacementTable:
            return read_table(connection, mailbox_id, asked)

        return await self._read_by_cost(account_id, mailbox_id, asked, reading, inline=INLINE_ROWS)

    async def stored(self, account_id: AccountId, message_ids: Sequence[MessageId]) -> Sequence[StoredMessage]:
        database = await self._databases.get(account_id)
        if len(message_ids) <= INLINE_MESSAGES:
            return await database.read(lambda connection: self._stored(connection, message_ids))
        return await database.read_long(lambda connection: self._stored(connection, message_ids))

    async def read(self, account_id: AccountId, message_id: MessageId) -> bytes:
        database = await self._databases.get(account_id)
        blob = await _blob(database, message_id)
        unpack = partial(self._blobs.of_account(account_id).unpack, blob, what=_what(account_id, message_id))
        if blob.size_bytes <= INLINE_LIMIT_BYTES:
            return unpack()
        return await database.in_thread(unpack)

    async def read_range(self, account_id: AccountId, message_id: MessageId, start: int, stop: int) -> bytes:
        database = await self._databases.get(account_id)
        blob = await _blob(database, message_id, BYTES_IF_SMALL)
        held = self._blobs.of_account(account_id)
        if blob.content is None and blob.file is None:
            # Large, and in its row: that is fetched for the first piece, and not for each.
            found = await database.in_thread(held.remembered, blob, start, stop)
            if found is not None:
                return found
            blob = await _blob(database, message_id)
        read = partial(held.read_range, blob, start, stop, what=_what(account_id, message_id))
        if blob.size_bytes <= INLINE_LIMIT_BYTES:
            return read()
        return await database.in_thread(read)

    async def change_flags(
        self, account_id: AccountId, mailbox_id: MailboxId, uids: NumSet, change: FlagChange
    ) -> FlagsChanged:
        now = self._clock()

        def work(transaction: Transaction) -> FlagsChanged:
            transaction.announce(account_topic(account_id))
            return flagging.change_flags(transaction, mailbox_id, uids, change, now=now)

        return await (await self._databases.get(account_id)).write(work, is_long=_is_long(uids))

    async def copy(
        self,
        account_id: AccountId,
        source: MailboxId,
        uids: NumSet,
        target: MailboxId,
        *,
        quota_bytes: int | None = None,
    ) -> Copied:
        now = self._clock()

        def work(transaction: Transaction) -> Copied:
            transaction.announce(account_topic(account_id))
            return copying.copy(transaction, source, uids, target, now=now, quota_bytes=quota_bytes)

        return await (await self._databases.get(account_id)).write(work, is_long=_is_long(uids))

    async def move(self, account_id: AccountId, source: MailboxId, uids: NumSet, target: MailboxId) -> Copied:
        now = self._clock()
        database = await self._databases.get(account_id)
        held = self._blobs.of_account(account_id)

        def work(transaction: Transaction) -> Copied:
            copied, files = copying.move(transaction, source, uids, target, now=now)
            tidy(transaction, held, files)
            transaction.announce(account_topic(account_id))
            return copied

        return await database.write(work, is_long=_is_long(uids))

    async def expunge(self, account_id: AccountId, mailbox_id: MailboxId, uids: NumSet | None = None) -> Sequence[Uid]:
        now = self._clock()
        database = await self._databases.get(account_id)
        held = self._blobs.of_account(account_id)

        def work(transaction: Transaction) -> list[Uid]:
            if transaction.row(MAILBOX_EXISTS, (mailbox_id,)) is None:
                raise NotFound(f"there is no mailbox {mailbox_id}")
            wanted = EVERY_UID if uids is None else uids
            rows = rows_in_ranges(transaction, DELETED_IN_RANGE, mailbox_id, wanted)
            if not rows:
                return []
            files = remove_placements(transaction, mailbox_id, rows, mod_seq=next_mod_seq(transaction), now=now)
            tidy(transaction, held, files)
            transaction.announce(account_topic(account_id))
            return [Uid(row[0]) for row in rows]

        return await database.write(work, is_long=uids is None or _is_long(uids))

    async def used_bytes(self, account_id: AccountId) -> int:
        database = await self._databases.get(account_id)
        return int((await database.one(USED))[0])

    async def _read_by_cost(
        self, account_id: AccountId, mailbox_id: MailboxId, uids: NumSet, reading: Reading[Result], *, inline: int
    ) -> Result:
        """inline: of so many rows on the loop, of more in a thread. Raises NotFound."""
        database = await self._databases.get(account_id)
        if uids.count() + 3 * len(uids.ranges) <= inline:
            # Few, however large the mailbox; whether there is one matters only when nothing is found in it.
            found = await database.read(reading)
            if found:
                return found
        if await _row_cost(database, mailbox_id, uids) <= inline:
            return await database.read(reading)
        return await database.read_long(reading)

    def _stored(self, connection: Connection, message_ids: Sequence[MessageId]) -> list[StoredMessage]:
        codec = self._blobs.codec
        found: dict[MessageId, StoredMessage] = {}
        for start in range(0, len(message_ids), STORED_AT_ONCE):
            some = message_ids[start : start + STORED_AT_ONCE]
            found.update((row[0], stored_message(row, codec)) for row in _stored_rows(connection, some))
        return [found[message_id] for message_id in message_ids if message_id in found]


def _what(account_id: AccountId, message_id: MessageId) -> str:
    return f"message {message_id} of account {account_id}"


async def _blob(database: Database, message_id: MessageId, statement: str = BYTES) -> Blob:
    """Raises NotFound."""
    row = await database.row(statement, (message_id,))
    if row is None:
        raise NotFound(f"there is no message {message_id}")
    blob_id, size_bytes, content, file = row
    return Blob(blob_id=BlobId(blob_id.hex()), size_bytes=size_bytes, content=content, file=file)


def _stored_rows(connection: Connection, message_ids: Sequence[MessageId]) -> list[Row]:
    """Of STORED_AT_ONCE messages at most, in any order."""
    if len(message_ids) < FEW:
        return [row for message_id in message_ids for row in connection.rows(STORED_ONE, (message_id,))]
    return connection.rows(STORED_MANY, (*message_ids, *(None,) * (STORED_AT_ONCE - len(message_ids))))


async def _row_cost(database: Database, mailbox_id: MailboxId, uids: NumSet) -> int:
    """In rows: a range costs about as much as three; a mailbox holds no more rows than it holds messages."""
    size = await database.row(MAILBOX_SIZE, (mailbox_id,))
    if size is None:
        raise NotFound(f"there is no mailbox {mailbox_id}")
    return min(uids.count(), int(size[0])) + 3 * len(uids.ranges)


def _is_long(uids: NumSet) -> bool:
    return uids.count() > INLINE_WRITES


def _placements(connection: Connection, mailbox_id: MailboxId, uids: NumSet) -> list[Placement]:
    return [
        Placement(uid, message_id, mod_seq, bool(is_deleted), keywords)
        for uid, message_id, mod_seq, is_deleted, keywords in rows_in_ranges(connection, PLACEMENTS, mailbox_id, uids)
    ]
