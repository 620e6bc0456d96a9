"""A migration of mail.db: threads are found by hashes of message-ids and base subjects, not by a text in each row."""

from mailstack.model.errors import Damaged
from mailstack.store.sqlite.compress import Codec
from mailstack.store.sqlite.connection import Connection
from mailstack.store.sqlite.listing import MAX_FRAME_BYTES, base_subject_of, references_of, unpack_forms
from mailstack.store.sqlite.thread_keys import keys_of

THREAD_TABLES = frozenset({"thread_key"})
MESSAGES_AT_ONCE = 500

STATEMENTS = (
    # key: what threading.py makes of a message-id and a base subject.
    "CREATE TABLE thread_key (key INTEGER PRIMARY KEY, thread_id INTEGER NOT NULL) STRICT",
    "DROP INDEX message_header_id",
    "ALTER TABLE message DROP COLUMN header_id",
    "CREATE INDEX message_thread ON message (thread_id)",
)
MESSAGES = """SELECT m.message_id, m.thread_id, b.forms FROM message m JOIN blob b ON b.blob_key = m.blob_key
    WHERE m.message_id > ? ORDER BY m.message_id LIMIT ?"""
INSERT_KEY = "INSERT INTO thread_key (key, thread_id) VALUES (?, ?) ON CONFLICT DO NOTHING"


def fill_threads(connection: Connection) -> None:
    """Messages keep the threads that they have."""
    codec = Codec()
    last = 0
    while rows := connection.rows(MESSAGES, (last, MESSAGES_AT_ONCE)):
        for _, thread_id, packed in rows:
            connection.run_many(INSERT_KEY, [(key, thread_id) for key in _keys(packed, codec)])
        last = rows[-1][0]


def _keys(packed: bytes, codec: Codec) -> list[int]:
    try:
        forms = unpack_forms(codec.decompress(packed, limit_bytes=MAX_FRAME_BYTES))
        return keys_of(forms.header_id.decode(), references_of(forms), base_subject_of(forms))
    except (Damaged, ValueError):
        return []  # it is damaged, and answers to it begin a thread of their own
