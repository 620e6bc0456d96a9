"""Taking placements out of a mailbox, and with the last one the message and its bytes. Used by expunge, move and by
destroying a mailbox; leaves a tombstone for each."""

import json
from collections.abc import Sequence

from mailstack.model.flags import SEEN
from mailstack.model.ids import MailboxId, ModSeq
from mailstack.model.instant import Instant
from mailstack.store.sql.change_log import DESTROYED, LOG, NOWHERE
from mailstack.store.sql.counters import ADD_USED, COUNT_MAILBOX
from mailstack.store.sql.database import Row, Transaction
from mailstack.store.sql.indexing import forget

COLUMNS = """p.uid, p.message_id, p.mod_seq, p.is_deleted, p.keywords, m.size_bytes
    FROM placement p JOIN message m ON /*of m*/ m.message_id = p.message_id"""
ALL_PLACEMENTS = f"SELECT {COLUMNS} WHERE /*of p*/ p.mailbox_id = ? ORDER BY p.uid"
PLACEMENTS_IN_RANGE = f"SELECT {COLUMNS} WHERE /*of p*/ p.mailbox_id = ? AND p.uid BETWEEN ? AND ? ORDER BY p.uid"
DELETED_IN_RANGE = (
    f"SELECT {COLUMNS} WHERE /*of p*/ p.mailbox_id = ? AND p.uid BETWEEN ? AND ? AND p.is_deleted = 1 ORDER BY p.uid"
)

# The bounds keep an engine that knows nothing of the mailbox yet from reading all of it for one message.
DELETE_PLACEMENTS = """DELETE FROM placement WHERE /*of*/ mailbox_id = ?
    AND uid IN (SELECT value FROM json_each(?) AS listed) AND uid BETWEEN ? AND ?"""
DELETE_MESSAGES = """DELETE FROM message WHERE /*of*/ message_id IN (SELECT value FROM json_each(?) AS listed)
    AND NOT EXISTS (SELECT 1 FROM placement WHERE /*of*/ placement.message_id = message.message_id)
    RETURNING message_id, thread_id, blob_key, size_bytes"""
# Two looks instead of an index over all messages: at the message that brought the bytes, and at those that share them.
DELETE_BLOBS = """DELETE FROM blob WHERE /*of*/ blob_key IN (SELECT value FROM json_each(?) AS listed)
    AND NOT EXISTS (SELECT 1 FROM message WHERE /*of*/ message.message_id = blob.blob_key)
    AND NOT EXISTS (SELECT 1 FROM message WHERE /*of*/ message.blob_key = blob.blob_key
                    AND message.blob_key <> message.message_id)
    RETURNING file"""


def remove_placements(
    transaction: Transaction, mailbox_id: MailboxId, rows: Sequence[Row], *, mod_seq: ModSeq, now: Instant
) -> list[str]:
    """rows: of ALL_PLACEMENTS or PLACEMENTS_IN_RANGE. Returns the blob files that no row names any more."""
    if not rows:
        return []
    uids = [row[0] for row in rows]
    transaction.run(DELETE_PLACEMENTS, (mailbox_id, json.dumps(uids), min(uids), max(uids)))
    transaction.run_many(LOG, [(mod_seq, mailbox_id, row[0], row[1], DESTROYED, row[3], now) for row in rows])
    unseen = sum(1 for row in rows if SEEN not in row[4].split())
    deleted = sum(row[3] for row in rows)
    size_bytes = sum(row[5] for row in rows)
    transaction.run(COUNT_MAILBOX, (mod_seq, -len(rows), -unseen, -deleted, -size_bytes, mailbox_id))
    return _remove_messages(transaction, [row[1] for row in rows], mod_seq, now)


def _remove_messages(transaction: Transaction, message_ids: Sequence[int], mod_seq: ModSeq, now: Instant) -> list[str]:
    gone = transaction.rows(DELETE_MESSAGES, (json.dumps(message_ids),))
    if not gone:
        return []
    of_threads = [(message_id, thread_id) for message_id, thread_id, *_ in gone if thread_id != message_id]
    transaction.run_many(LOG, [(mod_seq, NOWHERE, *each, DESTROYED, False, now) for each in of_threads])
    blob_keys = {blob_key for _, _, blob_key, _ in gone}
    files = [file for (file,) in transaction.rows(DELETE_BLOBS, (json.dumps(sorted(blob_keys)),)) if file is not None]
    transaction.run(ADD_USED, (-sum(size_bytes for *_, size_bytes in gone),))
    forget(transaction, [message_id for message_id, *_ in gone])
    return files
