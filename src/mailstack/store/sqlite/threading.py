"""Which thread a new message belongs to, inside the transaction that stores it. RFC 8621 §3, RFC 8474 §5.2.

Two messages are of one thread when a message-id stands in both (Message-ID, References or else In-Reply-To) and their
base subjects are the same. So each pair of an id and a base subject belongs to one thread, from the first message on
that names it: a parent that comes late finds its replies. A message that names ids of several threads makes one of
them; the oldest thread keeps its number.
"""

from mailstack.model.ids import ModSeq
from mailstack.model.instant import Instant
from mailstack.model.message import MessageDigest
from mailstack.store.sqlite.schema_account import UPDATED
from mailstack.store.sqlite.thread_keys import MAX_NAMED, keys_of
from mailstack.store.sqlite.writer import Transaction

MAX_MOVED = 1_000
"""Messages that change their thread at once; larger threads stay apart."""

FIND = f"""SELECT k.key, COALESCE(m.into_id, k.thread_id) FROM thread_key k
    LEFT JOIN thread_merged m ON m.thread_id = k.thread_id
    WHERE k.key IN ({", ".join("?" * MAX_NAMED)})"""  # noqa: S608 - question marks only
INSERT_KEY = "INSERT INTO thread_key (key, thread_id) VALUES (?, ?)"
COUNT = "SELECT COUNT(*) FROM message WHERE thread_id = ?"
PLACES = """SELECT p.mailbox_id, p.uid, p.message_id
    FROM message m CROSS JOIN placement p ON p.message_id = m.message_id
    WHERE m.thread_id = ?"""
# Deviates: RFC 8474 §5.2 and RFC 8621 §3 never let a message that was reported change its thread; a conversation that
# stays torn for ever is worse for people, and it takes a message that links two halves and comes after both.
MOVE = "UPDATE message SET thread_id = ? WHERE thread_id = ?"
MERGE = "INSERT INTO thread_merged (thread_id, into_id) VALUES (?, ?)"
MERGE_AGAIN = "UPDATE thread_merged SET into_id = ? WHERE into_id = ?"
TOUCH_PLACEMENT = "UPDATE placement SET mod_seq = ? WHERE mailbox_id = ? AND uid = ?"
TOUCH_MAILBOX = "UPDATE mailbox SET mod_seq = ? WHERE mailbox_id = ?"
# What came with the same request has its row in the log already.
LOG = """INSERT INTO change_log (mod_seq, mailbox_id, uid, message_id, kind, changed_at) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT DO NOTHING"""
FORGET_KEYS = """DELETE FROM thread_key WHERE COALESCE(
        (SELECT into_id FROM thread_merged WHERE thread_merged.thread_id = thread_key.thread_id), thread_id)
    NOT IN (SELECT thread_id FROM message)"""
FORGET_MERGED = "DELETE FROM thread_merged WHERE into_id NOT IN (SELECT thread_id FROM message)"


def thread_of(
    transaction: Transaction, digest: MessageDigest, message_id: int, *, mod_seq: ModSeq, now: Instant
) -> int:
    """mod_seq: of the message's own change; messages that change their thread get it too."""
    keys = keys_of(digest.message_id, digest.references, digest.base_subject)
    if not keys:
        return message_id
    known: dict[int, int] = dict(transaction.rows(FIND, (*keys, *(None,) * (MAX_NAMED - len(keys)))))
    threads = sorted(set(known.values()))
    thread_id = threads[0] if threads else message_id
    for other in threads[1:]:
        _merge(transaction, other, thread_id, mod_seq=mod_seq, now=now)
    transaction.run_many(INSERT_KEY, [(key, thread_id) for key in keys if key not in known])
    return thread_id


def forget_threads(transaction: Transaction) -> None:
    """What no message is left of."""
    transaction.run(FORGET_KEYS)
    transaction.run(FORGET_MERGED)


def _merge(transaction: Transaction, thread_id: int, into_id: int, *, mod_seq: ModSeq, now: Instant) -> None:
    if transaction.one(COUNT, (thread_id,))[0] > MAX_MOVED:
        return
    places = transaction.rows(PLACES, (thread_id,))
    transaction.run(MOVE, (into_id, thread_id))
    transaction.run(MERGE_AGAIN, (into_id, thread_id))
    transaction.run(MERGE, (thread_id, into_id))
    transaction.run_many(TOUCH_PLACEMENT, [(mod_seq, mailbox_id, uid) for mailbox_id, uid, _ in places])
    transaction.run_many(LOG, [(mod_seq, mailbox_id, uid, moved, UPDATED, now) for mailbox_id, uid, moved in places])
    for mailbox_id in {place[0] for place in places}:
        transaction.run(TOUCH_MAILBOX, (mod_seq, mailbox_id))
