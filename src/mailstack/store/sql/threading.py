"""Which thread a new message belongs to, inside the transaction that stores it. RFC 8621 §3, RFC 8474 §5.2.

Two messages are of one thread when a message-id stands in both (Message-ID, References or else In-Reply-To) and their
base subjects are the same. So each pair of an id and a base subject belongs to one thread, from the first message on
that names it: a parent that comes late finds its replies. Threads never become one: a message stays in the thread in
which it was reported.
"""

from collections.abc import Iterable, Sequence

from mailstack.model.message import MessageDigest
from mailstack.store.sql import thread_keys
from mailstack.store.sql.database import Question, Transaction
from mailstack.store.sql.thread_keys import MAX_NAMED

FIND = f"SELECT key, thread_id FROM thread_key WHERE /*of*/ key IN ({', '.join('?' * MAX_NAMED)})"  # noqa: S608 - question marks
INSERT_KEY = "INSERT INTO thread_key (/*key*/ key, thread_id) VALUES (/*value*/ ?, ?)"
FORGET_KEYS = "DELETE FROM thread_key WHERE /*of*/ thread_id NOT IN (SELECT thread_id FROM message /*whole*/)"


def keys_of(digest: MessageDigest) -> list[int]:
    return thread_keys.keys_of(digest.message_id, digest.references, digest.base_subject)


def finding(keys: Iterable[Sequence[int]]) -> list[Question]:
    """What tells which threads there are of new messages with these keys: rows of a key and its thread."""
    every = list(dict.fromkeys(key for some in keys for key in some))
    parts = [every[start : start + MAX_NAMED] for start in range(0, len(every), MAX_NAMED)]
    return [(FIND, (*part, *(None,) * (MAX_NAMED - len(part)))) for part in parts]


def join_thread(transaction: Transaction, keys: Sequence[int], known: dict[int, int], message_id: int) -> int:
    """known: what was found, and what was made for messages before this one; this one's keys are added."""
    # RFC 8474 §5.2: a THREADID never changes, so who names several threads joins one: that of the nearest reference.
    thread_id = next((known[key] for key in reversed(keys) if key in known), message_id)
    fresh = [key for key in keys if key not in known]
    transaction.run_many(INSERT_KEY, [(key, thread_id) for key in fresh])
    known.update(dict.fromkeys(fresh, thread_id))
    return thread_id


def forget_threads(transaction: Transaction) -> None:
    """What no message is left of."""
    transaction.run(FORGET_KEYS)
