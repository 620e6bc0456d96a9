"""ports.search in SQL: the index of an account, and which messages of a mailbox meet a condition.

A word's middle or end is looked for in the vocabulary first; the words found there are what the index is asked for. A
condition met by few messages is answered from them, one met by many from the mailbox's list.
"""

import json
from collections.abc import Collection, Sequence
from functools import partial
from typing import assert_never

import structlog

from mailstack.model.errors import Damaged, NotFound
from mailstack.model.ids import AccountId, BlobId, MailboxId, MessageId, Uid
from mailstack.model.instant import DAY_MS
from mailstack.model.message import RawMessage
from mailstack.model.objectid import email_id_of, thread_id_of
from mailstack.model.query import DayRange, EmailIdIs, HasAttachment, InstantRange, SizeRange, ThreadIdIs, TimeField
from mailstack.model.search import Condition, HasWords, Hits, IndexedMessage, Unindexed
from mailstack.store.sql import indexing
from mailstack.store.sql.blobs import Blob, Blobs
from mailstack.store.sql.counters import MAILBOX_EXISTS
from mailstack.store.sql.database import Connection, Databases, Transaction, Value
from mailstack.store.sql.fulltext import MATCH, asked_words
from mailstack.store.sql.messages import BYTES
from mailstack.store.sql.unpacked import mapped
from mailstack.store.sql.vocabulary import Vocabularies

log = structlog.get_logger()

MAX_WORDS = 2_000
"""So many words that hold a needle are looked up; what has none of them is then left open."""
FEW = 2_000
IN_MEMORY_BYTES = 1 << 20
"""What is larger waits for the index as a mapped file: one of 50 MB would take 84 MB of memory for a moment."""
_EPOCH_ORDINAL = 719_163
# Zones reach 99 h 59 min to either side, so a day as written lies this near the one in UTC.
_ZONE_MS = 5 * DAY_MS
_EARLIEST, _LATEST = -(1 << 62), 1 << 62

PARTIAL = "SELECT message_id FROM search_partial /*whole*/"
# CROSS JOIN keeps the order of the tables: from the few messages to their places.
PLACES_OF_FEW = """SELECT p.uid FROM json_each(?) AS found CROSS JOIN placement p
    WHERE /*of p*/ p.message_id = found.value AND p.mailbox_id = ? ORDER BY p.uid"""
PLACES_OF_MANY = """SELECT uid FROM placement
    WHERE /*of*/ mailbox_id = ? AND message_id IN (SELECT value FROM json_each(?) AS many) ORDER BY uid"""
RECEIVED = """SELECT p.uid FROM placement p JOIN message m ON /*of m*/ m.message_id = p.message_id
    WHERE /*of p*/ p.mailbox_id = ? AND m.received_at >= ? AND m.received_at < ? ORDER BY p.uid"""
SENT = """SELECT p.uid, m.sent_at FROM placement p JOIN message m ON /*of m*/ m.message_id = p.message_id
    WHERE /*of p*/ p.mailbox_id = ? AND m.sent_at >= ? AND m.sent_at < ? ORDER BY p.uid"""
SIZED = """SELECT p.uid FROM placement p JOIN message m ON /*of m*/ m.message_id = p.message_id
    WHERE /*of p*/ p.mailbox_id = ? AND m.size_bytes > ? AND m.size_bytes < ? ORDER BY p.uid"""
WITH_ATTACHMENT = """SELECT p.uid FROM placement p JOIN message m ON /*of m*/ m.message_id = p.message_id
    WHERE /*of p*/ p.mailbox_id = ? AND m.has_attachment <> 0 ORDER BY p.uid"""
EVERY_PLACE = "SELECT uid FROM placement WHERE /*of*/ mailbox_id = ?"
# The message that brought the bytes, if it is still there, and the copies that share them.
PLACES_OF_EMAIL = """SELECT p.uid FROM (
        SELECT message_id FROM message WHERE /*of*/ message_id = ?1 AND blob_key = ?1
        UNION ALL SELECT message_id FROM message WHERE /*of*/ blob_key = ?1 AND blob_key <> message_id) m
    CROSS JOIN placement p WHERE /*of p*/ p.message_id = m.message_id AND p.mailbox_id = ?2"""
# The message that began it, if it is still there, and the others.
PLACES_OF_THREAD = """SELECT p.uid FROM (
        SELECT message_id FROM message WHERE /*of*/ message_id = ?1 AND thread_id = ?1
        UNION ALL SELECT message_id FROM message WHERE /*of*/ thread_id = ?1 AND thread_id <> message_id) m
    CROSS JOIN placement p WHERE /*of p*/ p.message_id = m.message_id AND p.mailbox_id = ?2"""


class SqlSearch:
    def __init__(self, databases: Databases, *, blobs: Blobs) -> None:
        self._databases = databases
        self._blobs = blobs
        self._vocabularies = Vocabularies(blobs.codec)

    async def is_behind(self, account_id: AccountId) -> bool:
        database = await self._databases.get(account_id)
        return await database.row(indexing.IS_BEHIND) is not None

    async def backlog(self, account_id: AccountId, *, limit: int, limit_bytes: int) -> Sequence[Unindexed]:
        database = await self._databases.get(account_id)

        def work(connection: Connection) -> list[Unindexed]:
            read = partial(self._read, connection, account_id)
            return indexing.backlog(connection, read, limit=limit, limit_bytes=limit_bytes)

        return await database.read_long(work)

    async def add(self, account_id: AccountId, messages: Sequence[IndexedMessage]) -> None:
        def work(transaction: Transaction) -> None:
            indexing.add(transaction, messages, self._blobs.codec)

        await (await self._databases.get(account_id)).write(work, is_long=True)

    async def reset(self, account_id: AccountId) -> None:
        def work(transaction: Transaction) -> None:
            indexing.forget_all(transaction, self._blobs.codec)

        await (await self._databases.get(account_id)).write(work, is_long=True)

    async def find(self, account_id: AccountId, mailbox_id: MailboxId, condition: Condition) -> Hits:
        database = await self._databases.get(account_id)
        return await database.read_long(lambda connection: self._find(connection, account_id, mailbox_id, condition))

    def _find(self, connection: Connection, account_id: AccountId, mailbox_id: MailboxId, condition: Condition) -> Hits:
        # One snapshot: words move from chunk to chunk of the vocabulary while others write.
        with connection.snapshot():
            return self._found(connection, account_id, mailbox_id, condition)

    def _found(
        self, connection: Connection, account_id: AccountId, mailbox_id: MailboxId, condition: Condition
    ) -> Hits:
        if connection.row(MAILBOX_EXISTS, (mailbox_id,)) is None:
            raise NotFound(f"there is no mailbox {mailbox_id}")
        match condition:
            case HasWords():
                return self._with_words(connection, account_id, mailbox_id, condition)
            case DayRange() | InstantRange():
                return _within(connection, mailbox_id, condition)
            case SizeRange(larger, smaller):
                bounds = (_EARLIEST if larger is None else larger, _LATEST if smaller is None else smaller)
                return _sure(connection, SIZED, (mailbox_id, *bounds))
            case HasAttachment():
                return _sure(connection, WITH_ATTACHMENT, (mailbox_id,))
            case EmailIdIs(object_id):
                return _sure(connection, PLACES_OF_EMAIL, (_or_nothing(email_id_of(account_id, object_id)), mailbox_id))
            case ThreadIdIs(object_id):
                return _sure(
                    connection, PLACES_OF_THREAD, (_or_nothing(thread_id_of(account_id, object_id)), mailbox_id)
                )
            case _:
                assert_never(condition)

    def _with_words(
        self, connection: Connection, account_id: AccountId, mailbox_id: MailboxId, asked: HasWords
    ) -> Hits:
        """Hits: all words were found. open: some were not, and the index does not hold all of the message's words, or
        not all words that hold a needle could be asked for."""
        sure: set[int] | None = None
        possible: set[int] | None = None
        for word in asked.words:
            stored, is_all = self._vocabularies.matching(connection, account_id, asked.scopes, word, limit=MAX_WORDS)
            found = _messages_with(connection, stored)
            sure = found if sure is None else sure & found
            if is_all:
                possible = found if possible is None else possible & found
        sure = sure or set()
        places = _places(connection, mailbox_id, sure)
        if possible is None:
            every = (uid for (uid,) in connection.rows(EVERY_PLACE, (mailbox_id,)))
            return Hits(uids=places, open=sorted(set(every).difference(places)))
        possible = possible.union(message_id for (message_id,) in connection.rows(PARTIAL))
        return Hits(uids=places, open=_places(connection, mailbox_id, possible - sure))

    def _read(self, connection: Connection, account_id: AccountId, message_id: MessageId) -> RawMessage | None:
        row = connection.row(BYTES, (message_id,))
        if row is None:
            return None
        blob_id, size_bytes, content, file = row
        blob = Blob(blob_id=BlobId(blob_id.hex()), size_bytes=size_bytes, content=content, file=file)
        held, what = self._blobs.of_account(account_id), f"message {message_id} of account {account_id}"
        try:
            if size_bytes <= IN_MEMORY_BYTES:
                return held.unpack(blob, what=what)
            return mapped(size_bytes, lambda start, stop: held.read_range(blob, start, stop, what=what))
        except Damaged as fault:
            log.warning("damaged message indexed as empty", account=account_id, message=message_id, detail=fault.detail)
            return None


def _messages_with(connection: Connection, stored: Sequence[str]) -> set[int]:
    """Any of these words."""
    return {message_id for words in asked_words(stored) for (message_id,) in connection.rows(MATCH, (words,))}


def _places(connection: Connection, mailbox_id: MailboxId, message_ids: Collection[int]) -> list[Uid]:
    if not message_ids:
        return []
    listed = json.dumps(list(message_ids))
    if len(message_ids) <= FEW:
        return [Uid(uid) for (uid,) in connection.rows(PLACES_OF_FEW, (listed, mailbox_id))]
    return [Uid(uid) for (uid,) in connection.rows(PLACES_OF_MANY, (mailbox_id, listed))]


def _sure(connection: Connection, sql: str, values: Sequence[Value]) -> Hits:
    return Hits(uids=sorted(Uid(uid) for (uid,) in connection.rows(sql, values)), open=[])


def _within(connection: Connection, mailbox_id: MailboxId, asked: DayRange | InstantRange) -> Hits:
    is_days = isinstance(asked, DayRange)
    first = _EARLIEST if asked.first is None else (asked.first - _EPOCH_ORDINAL) * DAY_MS if is_days else asked.first
    last = _LATEST if asked.last is None else (asked.last - _EPOCH_ORDINAL) * DAY_MS if is_days else asked.last
    if asked.field is TimeField.RECEIVED:
        return _sure(connection, RECEIVED, (mailbox_id, first, last))
    if not is_days:
        return _sure(connection, SENT, (mailbox_id, first, last))
    # RFC 9051 §6.4.4: SENTSINCE and its kin take the Date field disregarding time and timezone; the column is in UTC.
    rows = connection.rows(SENT, (mailbox_id, first - _ZONE_MS, last + _ZONE_MS))
    sure = [Uid(uid) for uid, sent_at in rows if first + _ZONE_MS <= sent_at < last - _ZONE_MS]
    return Hits(uids=sure, open=sorted({Uid(uid) for uid, _ in rows}.difference(sure)))


def _or_nothing(number: int | None) -> int:
    """-1: the number of no message and no thread."""
    return -1 if number is None else number
