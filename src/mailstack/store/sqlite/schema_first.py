"""mail.db of version 1, which releases have written, and how its rows come into the layout of today.

The first statements are history: they stay as they are.
"""

import struct

from mailstack.model.errors import Damaged
from mailstack.model.flags import SYSTEM_FLAGS
from mailstack.store.sql.compress import Codec
from mailstack.store.sql.database import Row
from mailstack.store.sql.listing import (
    EMPTY_BASE_SUBJECT,
    MAX_FRAME_BYTES,
    Forms,
    base_subject_of,
    join_forms,
    references_of,
    unpack_forms,
)
from mailstack.store.sql.thread_keys import keys_of
from mailstack.store.sqlite.connection import Connection

MESSAGES_AT_ONCE = 500

FIRST_TABLES = frozenset({"counter", "mailbox", "message", "blob", "placement", "change_log"})
FIRST_STATEMENTS = (
    # is_closed: the account is in the trash, where no process that still has the file open may write to it.
    """CREATE TABLE counter (
        only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
        mod_seq INTEGER NOT NULL,
        floor_mod_seq INTEGER NOT NULL,
        last_mailbox_id INTEGER NOT NULL,
        last_message_id INTEGER NOT NULL,
        last_uid_validity INTEGER NOT NULL,
        used_bytes INTEGER NOT NULL,
        is_closed INTEGER NOT NULL
    ) STRICT""",
    "INSERT INTO counter VALUES (1, 1, 1, 0, 0, 0, 0, 0)",
    # The counts are kept by every write, so that STATUS is one row.
    """CREATE TABLE mailbox (
        mailbox_id INTEGER PRIMARY KEY,
        parent_id INTEGER REFERENCES mailbox (mailbox_id),
        name TEXT NOT NULL,
        role TEXT,
        is_subscribed INTEGER NOT NULL,
        uid_validity INTEGER NOT NULL,
        uid_next INTEGER NOT NULL DEFAULT 1,
        mod_seq INTEGER NOT NULL,
        messages INTEGER NOT NULL DEFAULT 0,
        unseen INTEGER NOT NULL DEFAULT 0,
        deleted INTEGER NOT NULL DEFAULT 0,
        size_bytes INTEGER NOT NULL DEFAULT 0
    ) STRICT""",
    "CREATE UNIQUE INDEX mailbox_name ON mailbox (COALESCE(parent_id, 0), name)",
    "CREATE UNIQUE INDEX mailbox_role ON mailbox (role) WHERE role IS NOT NULL",
    # blob_key: the message_id that brought the bytes; another's in a copy that shares them. No foreign key: its
    # check would want a full index, and the partial one below is all that deleting needs.
    # base_subject: NULL where it is the subject. forms: what listing.py packs.
    """CREATE TABLE message (
        message_id INTEGER PRIMARY KEY,
        thread_id INTEGER NOT NULL,
        size_bytes INTEGER NOT NULL,
        received_at INTEGER NOT NULL,
        sent_at INTEGER,
        blob_key INTEGER NOT NULL,
        has_attachment INTEGER NOT NULL,
        subject TEXT NOT NULL,
        base_subject TEXT,
        from_addresses TEXT NOT NULL,
        to_addresses TEXT NOT NULL,
        cc_addresses TEXT NOT NULL,
        header_id TEXT NOT NULL,
        header_references TEXT NOT NULL,
        blob_id BLOB NOT NULL,
        envelope BLOB NOT NULL,
        forms BLOB NOT NULL
    ) STRICT""",
    "CREATE INDEX message_header_id ON message (header_id) WHERE header_id <> ''",
    "CREATE INDEX message_shared_blob ON message (blob_key) WHERE blob_key <> message_id",
    "CREATE TABLE blob (blob_key INTEGER PRIMARY KEY, content BLOB, file TEXT) STRICT",
    "CREATE INDEX blob_file ON blob (file) WHERE file IS NOT NULL",
    # Keywords belong to the message, and every placement of it holds the same: listing a mailbox reads this
    # table alone, and a flag change, which gives every placement a new mod_seq anyway, writes no other.
    """CREATE TABLE placement (
        mailbox_id INTEGER NOT NULL REFERENCES mailbox (mailbox_id),
        uid INTEGER NOT NULL,
        message_id INTEGER NOT NULL REFERENCES message (message_id),
        mod_seq INTEGER NOT NULL,
        is_deleted INTEGER NOT NULL,
        keywords TEXT NOT NULL,
        PRIMARY KEY (mailbox_id, uid)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX placement_message ON placement (message_id)",
    """CREATE TABLE change_log (
        mod_seq INTEGER NOT NULL,
        mailbox_id INTEGER NOT NULL,
        uid INTEGER NOT NULL,
        message_id INTEGER NOT NULL,
        kind INTEGER NOT NULL,
        changed_at INTEGER NOT NULL,
        PRIMARY KEY (mod_seq, mailbox_id, uid)
    ) STRICT, WITHOUT ROWID""",
)

MAKE_ROOM = (
    *(f"ALTER TABLE {table} RENAME TO old_{table}" for table in sorted(FIRST_TABLES)),
    "DROP INDEX mailbox_name",
    "DROP INDEX mailbox_role",
    "DROP INDEX message_header_id",
    "DROP INDEX message_shared_blob",
    "DROP INDEX blob_file",
    "DROP INDEX placement_message",
)
COPY = (
    "DELETE FROM counter",
    "INSERT INTO counter SELECT * FROM old_counter",
    "INSERT INTO mailbox SELECT * FROM old_mailbox",
    "INSERT INTO change_log SELECT * FROM old_change_log",
    """INSERT INTO message SELECT message_id, thread_id, size_bytes, received_at, sent_at, blob_key, has_attachment
        FROM old_message ORDER BY message_id""",
    """INSERT INTO placement SELECT mailbox_id, uid, message_id, mod_seq, is_deleted, keywords, NULL
        FROM old_placement ORDER BY mailbox_id, uid""",
)
OLD_MESSAGES = """SELECT message_id, blob_key, thread_id, blob_id, forms, envelope, subject, base_subject,
    from_addresses, to_addresses, cc_addresses, header_id, header_references
    FROM old_message WHERE message_id > ? ORDER BY message_id LIMIT ?"""
INSERT_BLOB = """INSERT INTO blob (blob_key, blob_id, forms, content, file)
    SELECT blob_key, ?, ?, content, file FROM old_blob WHERE blob_key = ? ON CONFLICT DO NOTHING"""
INSERT_THREAD_KEY = "INSERT INTO thread_key (key, thread_id) VALUES (?, ?) ON CONFLICT DO NOTHING"
OLD_KEYWORDS = "SELECT DISTINCT mailbox_id, keywords FROM old_placement WHERE keywords <> ''"
INSERT_KEYWORD = "INSERT INTO mailbox_keyword (mailbox_id, keyword) VALUES (?, ?) ON CONFLICT DO NOTHING"
DROP = tuple(
    f"DROP TABLE old_{table}" for table in ("placement", "message", "blob", "change_log", "mailbox", "counter")
)

_OLD_FORMS = struct.Struct(">IIII")


def fill_from_first(connection: Connection) -> None:
    """From the tables that MAKE_ROOM set aside."""
    for statement in COPY:
        connection.run(statement)
    codec = Codec()
    last = 0
    while rows := connection.rows(OLD_MESSAGES, (last, MESSAGES_AT_ONCE)):
        for row in rows:
            _take_over(connection, row, codec)
        last = rows[-1][0]
    for mailbox_id, text in connection.rows(OLD_KEYWORDS):
        for keyword in set(text.split()).difference(SYSTEM_FLAGS):
            connection.run(INSERT_KEYWORD, (mailbox_id, keyword))
    for statement in DROP:
        connection.run(statement)


def _take_over(connection: Connection, row: Row, codec: Codec) -> None:
    """What was damaged stays so: the bytes of the message are there all the same."""
    _, blob_key, thread_id, blob_id, packed, *head = row
    try:
        frame = _joined(codec.decompress(packed, limit_bytes=MAX_FRAME_BYTES), *head)
        forms = unpack_forms(frame)
    except (Damaged, ValueError, struct.error):
        connection.run(INSERT_BLOB, (blob_id, packed, blob_key))
        return
    connection.run(INSERT_BLOB, (blob_id, codec.compress_quick(frame), blob_key))
    # Messages keep the threads that they have, and answers to them find these.
    connection.run_many(INSERT_THREAD_KEY, [(key, thread_id) for key in _keys(forms)])


def _joined(old: bytes, envelope: bytes, subject: str, base_subject: str | None, *words: str) -> bytes:
    body, body_structure, parts, header_block = _OLD_FORMS.unpack_from(old)
    structure_starts = _OLD_FORMS.size + body
    parts_start = structure_starts + body_structure
    block_starts = parts_start + parts
    preview_starts = block_starts + header_block
    octets = (
        envelope.replace(b"\0", b""),
        old[block_starts:preview_starts],
        old[_OLD_FORMS.size : structure_starts],
        old[structure_starts:parts_start],
        old[parts_start:block_starts],
        old[preview_starts:],
    )
    base = "" if base_subject is None else base_subject or EMPTY_BASE_SUBJECT.decode()
    return join_forms(octets, "\0".join((subject, base, *words)).encode())


def _keys(forms: Forms) -> list[int]:
    return keys_of(forms.header_id.decode(), references_of(forms), base_subject_of(forms))
