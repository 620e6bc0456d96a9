"""The tables of one account's mail.db.

What is listed often is small and apart from what is read seldom: placement for the views of IMAP and JMAP, message
for what is filtered by, blob for the bytes and what is read with them, head_pack for what is listed of many.
"""

from mailstack.store.sqlite.migrations import Migration
from mailstack.store.sqlite.schema_first import FIRST_STATEMENTS, FIRST_TABLES, MAKE_ROOM, fill_from_first
from mailstack.store.sqlite.search_tables import CREATE_INDEX, INDEX_TABLES

PAGE_SIZE = 1024
"""Small pages: a delivery rewrites the last page of each table, and messages of 1 to 3 KB leave little unused. With
4 KB pages a delivery writes three times the log, at the same CPU, and the file is as large or larger."""

TABLES = FIRST_TABLES | INDEX_TABLES | {
    "head_pack",
    "mailbox_keyword",
    "thread_key",
    "access",
    "subscription",
    "absent_subscription",
    "annotation",
}  # fmt: skip
LAYOUT = (
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
    # Every keyword that a message there ever had: rows are only added.
    """CREATE TABLE mailbox_keyword (
        mailbox_id INTEGER NOT NULL REFERENCES mailbox (mailbox_id) ON DELETE CASCADE,
        keyword TEXT NOT NULL,
        PRIMARY KEY (mailbox_id, keyword)
    ) STRICT, WITHOUT ROWID""",
    # RFC 3501 §6.3.9: who subscribed to a mailbox stays subscribed to its name when the mailbox is deleted.
    "CREATE TABLE absent_subscription (path TEXT PRIMARY KEY) STRICT, WITHOUT ROWID",
    # blob_key: the message_id that brought the bytes; another's in a copy that shares them. No foreign key: its check
    # would want a full index, and the partial one below is all that deleting needs.
    """CREATE TABLE message (
        message_id INTEGER PRIMARY KEY,
        thread_id INTEGER NOT NULL,
        size_bytes INTEGER NOT NULL,
        received_at INTEGER NOT NULL,
        sent_at INTEGER,
        blob_key INTEGER NOT NULL,
        has_attachment INTEGER NOT NULL
    ) STRICT""",
    "CREATE INDEX message_shared_blob ON message (blob_key) WHERE blob_key <> message_id",
    # Most messages begin a thread and stay alone in it.
    "CREATE INDEX message_thread ON message (thread_id) WHERE thread_id <> message_id",
    # forms: what listing.py packs; before the content, which fills pages of its own.
    """CREATE TABLE blob (
        blob_key INTEGER PRIMARY KEY,
        blob_id BLOB NOT NULL,
        forms BLOB NOT NULL,
        content BLOB,
        file TEXT
    ) STRICT""",
    "CREATE INDEX blob_file ON blob (file) WHERE file IS NOT NULL",
    # What packs.py makes of the forms of 64 messages; messages: how many there were.
    """CREATE TABLE head_pack (
        block INTEGER PRIMARY KEY,
        messages INTEGER NOT NULL,
        envelopes BLOB NOT NULL,
        header_blocks BLOB NOT NULL,
        structures BLOB NOT NULL,
        words BLOB NOT NULL
    ) STRICT""",
    # key: what threading.py makes of a message-id and a base subject.
    "CREATE TABLE thread_key (key INTEGER PRIMARY KEY, thread_id INTEGER NOT NULL) STRICT",
    # Keywords belong to the message, and every placement of it holds the same: listing a mailbox reads this table
    # alone, and a flag change, which gives every placement a new mod_seq anyway, writes no other.
    # saved_at: RFC 8514; NULL for what came before it was kept.
    """CREATE TABLE placement (
        mailbox_id INTEGER NOT NULL REFERENCES mailbox (mailbox_id),
        uid INTEGER NOT NULL,
        message_id INTEGER NOT NULL REFERENCES message (message_id),
        mod_seq INTEGER NOT NULL,
        is_deleted INTEGER NOT NULL,
        keywords TEXT NOT NULL,
        saved_at INTEGER,
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
    CREATE_INDEX,
    # indexed_up_to: all messages up to it are in the index and none above it, so a delivery writes nothing.
    """CREATE TABLE search_state (
        only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
        indexed_up_to INTEGER NOT NULL
    ) STRICT""",
    "INSERT INTO search_state VALUES (1, 0)",
    # Messages that have words which the index does not.
    "CREATE TABLE search_partial (message_id INTEGER PRIMARY KEY) STRICT",
    """CREATE TABLE search_vocabulary (
        chunk INTEGER PRIMARY KEY,
        level INTEGER NOT NULL,
        words BLOB NOT NULL
    ) STRICT""",
    # account_id: '' where the identifier was nobody's when the entry was made, and for anyone.
    """CREATE TABLE access (
        mailbox_id INTEGER NOT NULL REFERENCES mailbox (mailbox_id) ON DELETE CASCADE,
        identifier TEXT NOT NULL,
        account_id TEXT NOT NULL,
        rights TEXT NOT NULL,
        PRIMARY KEY (mailbox_id, identifier)
    ) STRICT, WITHOUT ROWID""",
    # To mailboxes of other accounts, whose files are elsewhere.
    """CREATE TABLE subscription (
        owner_id TEXT NOT NULL,
        mailbox_id INTEGER NOT NULL,
        PRIMARY KEY (owner_id, mailbox_id)
    ) STRICT, WITHOUT ROWID""",
    # mailbox_id: NULL for entries of the account. viewer_id: whose private entry, '' for shared ones.
    """CREATE TABLE annotation (
        mailbox_id INTEGER REFERENCES mailbox (mailbox_id) ON DELETE CASCADE,
        viewer_id TEXT NOT NULL,
        entry TEXT NOT NULL,
        value BLOB NOT NULL
    ) STRICT""",
    "CREATE UNIQUE INDEX annotation_entry ON annotation (COALESCE(mailbox_id, 0), entry, viewer_id)",
    "CREATE INDEX annotation_mailbox ON annotation (mailbox_id)",
)

# RFC 8621 §4.1.1: \Deleted hides, so what a row changed was seen before only where this is 0. In rows that are older it
# is 0, for then nothing was hidden.
SIGHT = ("ALTER TABLE change_log ADD COLUMN was_deleted INTEGER NOT NULL DEFAULT 0",)

MIGRATIONS = (
    Migration(number=1, tables=FIRST_TABLES, statements=FIRST_STATEMENTS),
    Migration(
        number=2, tables=TABLES, makes_room=MAKE_ROOM, statements=LAYOUT, fill=fill_from_first, makes_whole_files=True
    ),
    Migration(number=3, tables=TABLES, statements=SIGHT),
)
