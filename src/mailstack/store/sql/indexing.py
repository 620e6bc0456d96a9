"""What enters the full-text index and what leaves it, inside one transaction each."""

import json
from collections.abc import Callable, Sequence

from mailstack.model.ids import MessageId
from mailstack.model.message import RawMessage
from mailstack.model.search import IndexedMessage, Unindexed
from mailstack.store.sql.compress import Codec
from mailstack.store.sql.database import Connection, Transaction
from mailstack.store.sql.fulltext import DELETE, DELETE_ALL, DELETE_PARTIAL, INSERT, UP_TO, stored_words
from mailstack.store.sql.packs import DROP_ALL, pack_heads
from mailstack.store.sql.vocabulary import add_words, forget_words

IS_BEHIND = "SELECT 1 FROM message WHERE /*of*/ message_id > (SELECT indexed_up_to FROM search_state /*whole*/) LIMIT 1"
BACKLOG = """SELECT message_id, size_bytes FROM message
    WHERE /*of*/ message_id > (SELECT indexed_up_to FROM search_state /*whole*/) ORDER BY message_id LIMIT ?"""
EXISTING = """SELECT message_id FROM message
    WHERE /*of*/ message_id IN (SELECT value FROM json_each(?) AS listed)"""
INSERT_PARTIAL = "INSERT INTO search_partial (/*key*/ message_id) VALUES (/*value*/ ?)"
SET_UP_TO = "UPDATE search_state SET indexed_up_to = ? /*whole*/"
DELETE_ALL_PARTIAL = "DELETE FROM search_partial /*whole*/"


def backlog(
    connection: Connection, read: Callable[[MessageId], RawMessage | None], *, limit: int, limit_bytes: int
) -> list[Unindexed]:
    waiting: list[Unindexed] = []
    room = limit_bytes
    for message_id, size_bytes in connection.rows(BACKLOG, (limit,)):
        if waiting and size_bytes > room:
            break
        room -= size_bytes
        waiting.append(Unindexed(message_id=MessageId(message_id), raw=read(message_id)))
    return waiting


def add(transaction: Transaction, messages: Sequence[IndexedMessage], codec: Codec) -> None:
    """Another process may have been faster, and messages may be gone since they were read."""
    (up_to,) = transaction.one(UP_TO)
    fresh = [one for one in messages if one.message_id > up_to]
    if not fresh:
        return
    vocabulary: set[str] = set()
    existing = {message_id for (message_id,) in transaction.rows(EXISTING, (_listed(fresh),))}
    for one in fresh:
        if one.message_id not in existing:
            continue
        words = stored_words(one.words)
        transaction.run(INSERT, (one.message_id, " ".join(words)))
        vocabulary.update(words)
        if one.is_partial:
            transaction.run(INSERT_PARTIAL, (one.message_id,))
    if vocabulary:
        add_words(transaction, vocabulary, codec)
    transaction.run(SET_UP_TO, (fresh[-1].message_id,))
    pack_heads(transaction, codec, after=up_to, up_to=fresh[-1].message_id)


def forget(transaction: Transaction, message_ids: Sequence[int]) -> None:
    """Messages that no longer exist."""
    (up_to,) = transaction.one(UP_TO)
    indexed = [message_id for message_id in message_ids if message_id <= up_to]
    if indexed:
        transaction.run(DELETE, (json.dumps(indexed),))
        transaction.run(DELETE_PARTIAL, (json.dumps(indexed),))


def forget_all(transaction: Transaction, codec: Codec) -> None:
    transaction.run(DELETE_ALL)
    transaction.run(DELETE_ALL_PARTIAL)
    transaction.run(DROP_ALL)
    forget_words(transaction, codec)
    transaction.run(SET_UP_TO, (0,))


def _listed(messages: Sequence[IndexedMessage]) -> str:
    return json.dumps([one.message_id for one in messages])
