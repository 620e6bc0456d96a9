"""A migration of mail.db: what a list shows gets a table of its own, apart from what is filtered by and what is read.

message had it all in rows of a kilobyte, of which ten thousand had to be read for ten thousand dates.
"""

import struct

from mailstack.model.errors import Damaged
from mailstack.model.flags import SYSTEM_FLAGS
from mailstack.store.sqlite.compress import Codec
from mailstack.store.sqlite.connection import Connection, Row
from mailstack.store.sqlite.listing import EMPTY_BASE_SUBJECT, MAX_FRAME_BYTES, join_forms

HEAD_TABLES = frozenset({"head", "mailbox_keyword"})
MESSAGES_AT_ONCE = 500

PREPARE = (
    # header_id: for threads. blob_key: no foreign key, as before.
    """CREATE TABLE new_message (
        message_id INTEGER PRIMARY KEY,
        thread_id INTEGER NOT NULL,
        size_bytes INTEGER NOT NULL,
        received_at INTEGER NOT NULL,
        sent_at INTEGER,
        blob_key INTEGER NOT NULL,
        has_attachment INTEGER NOT NULL,
        header_id TEXT NOT NULL
    ) STRICT""",
    # frame: what listing.py packs as a head.
    "CREATE TABLE head (message_id INTEGER PRIMARY KEY, frame BLOB NOT NULL) STRICT",
    # forms: before the content, which fills pages of its own.
    """CREATE TABLE new_blob (
        blob_key INTEGER PRIMARY KEY,
        blob_id BLOB NOT NULL,
        forms BLOB NOT NULL,
        content BLOB,
        file TEXT
    ) STRICT""",
    # saved_at: RFC 8514; NULL for what came before it was kept.
    """CREATE TABLE new_placement (
        mailbox_id INTEGER NOT NULL REFERENCES mailbox (mailbox_id),
        uid INTEGER NOT NULL,
        message_id INTEGER NOT NULL REFERENCES new_message (message_id),
        mod_seq INTEGER NOT NULL,
        is_deleted INTEGER NOT NULL,
        keywords TEXT NOT NULL,
        saved_at INTEGER,
        PRIMARY KEY (mailbox_id, uid)
    ) STRICT, WITHOUT ROWID""",
    # Every keyword that a message there ever had: rows are only added.
    """CREATE TABLE mailbox_keyword (
        mailbox_id INTEGER NOT NULL REFERENCES mailbox (mailbox_id) ON DELETE CASCADE,
        keyword TEXT NOT NULL,
        PRIMARY KEY (mailbox_id, keyword)
    ) STRICT, WITHOUT ROWID""",
)
OLD_MESSAGES = """SELECT message_id, blob_key, blob_id, forms, envelope, subject, base_subject, from_addresses,
    to_addresses, cc_addresses, header_id, header_references
    FROM message WHERE message_id > ? ORDER BY message_id LIMIT ?"""
INSERT_HEAD = "INSERT INTO head (message_id, frame) VALUES (?, ?)"
INSERT_BLOB = """INSERT INTO new_blob (blob_key, blob_id, forms, content, file)
    SELECT blob_key, ?, ?, content, file FROM blob WHERE blob_key = ? ON CONFLICT DO NOTHING"""
OLD_KEYWORDS = "SELECT DISTINCT mailbox_id, keywords FROM placement WHERE keywords <> ''"
INSERT_KEYWORD = "INSERT INTO mailbox_keyword (mailbox_id, keyword) VALUES (?, ?) ON CONFLICT DO NOTHING"
EXCHANGE = (
    """INSERT INTO new_message
        SELECT message_id, thread_id, size_bytes, received_at, sent_at, blob_key, has_attachment, header_id
        FROM message ORDER BY message_id""",
    """INSERT INTO new_placement (mailbox_id, uid, message_id, mod_seq, is_deleted, keywords)
        SELECT mailbox_id, uid, message_id, mod_seq, is_deleted, keywords FROM placement ORDER BY mailbox_id, uid""",
    "DROP TABLE placement",
    "DROP TABLE message",
    "DROP TABLE blob",
    "ALTER TABLE new_message RENAME TO message",
    "ALTER TABLE new_blob RENAME TO blob",
    "ALTER TABLE new_placement RENAME TO placement",
    "CREATE INDEX message_header_id ON message (header_id) WHERE header_id <> ''",
    "CREATE INDEX message_shared_blob ON message (blob_key) WHERE blob_key <> message_id",
    "CREATE INDEX blob_file ON blob (file) WHERE file IS NOT NULL",
    "CREATE INDEX placement_message ON placement (message_id)",
)

_OLD_FORMS = struct.Struct(">IIII")


def fill_heads(connection: Connection) -> None:
    codec = Codec()
    last = 0
    while rows := connection.rows(OLD_MESSAGES, (last, MESSAGES_AT_ONCE)):
        for row in rows:
            head, forms = _repacked(row, codec)
            connection.run(INSERT_HEAD, (row[0], head))
            connection.run(INSERT_BLOB, (row[2], forms, row[1]))
        last = rows[-1][0]
    for mailbox_id, text in connection.rows(OLD_KEYWORDS):
        for keyword in set(text.split()).difference(SYSTEM_FLAGS):
            connection.run(INSERT_KEYWORD, (mailbox_id, keyword))
    for statement in EXCHANGE:
        connection.run(statement)


def _repacked(row: Row, codec: Codec) -> tuple[bytes, bytes]:
    """Head and forms. What was damaged stays so: the bytes of the message are there all the same."""
    _, _, _, packed, envelope, subject, base_subject, from_, to, cc, header_id, references = row
    try:
        old = codec.decompress(packed, limit_bytes=MAX_FRAME_BYTES)
        body, body_structure, parts, header_block = _OLD_FORMS.unpack_from(old)
    except (Damaged, struct.error):
        return packed, packed
    header_starts = _OLD_FORMS.size + body + body_structure + parts
    header_ends = header_starts + header_block
    head = b"".join((envelope.replace(b"\0", b""), b"\0", old[header_starts:header_ends]))
    base = "" if base_subject is None else base_subject or EMPTY_BASE_SUBJECT.decode()
    words = "\0".join((subject, base, from_, to, cc, header_id, references)).encode()
    structure_starts = _OLD_FORMS.size + body
    parts_start = structure_starts + body_structure
    octets = (
        old[_OLD_FORMS.size : structure_starts],
        old[structure_starts:parts_start],
        old[parts_start:header_starts],
        old[header_ends:],
    )
    return codec.compress_quick(head), codec.compress_quick(join_forms(octets, words))
