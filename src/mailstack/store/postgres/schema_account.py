"""The tables of the accounts: those of an account's file on SQLite, column for column, the account before every key.

store/sqlite/schema_account.py says what they are for. Others are only the full-text index, and the grantee's column of
`access`, whose name there is the account's own here. Primary keys begin with the account, so an account's rows lie
together in every index, and tables can be parted by it.
"""

from mailstack.store.postgres.migrations import Migration

LAYOUT = (
    """CREATE TABLE counter (
        account_id TEXT PRIMARY KEY,
        mod_seq BIGINT NOT NULL,
        floor_mod_seq BIGINT NOT NULL,
        last_mailbox_id BIGINT NOT NULL,
        last_message_id BIGINT NOT NULL,
        last_uid_validity BIGINT NOT NULL,
        used_bytes BIGINT NOT NULL,
        is_closed BIGINT NOT NULL
    )""",
    """CREATE TABLE mailbox (
        account_id TEXT NOT NULL REFERENCES counter (account_id),
        mailbox_id BIGINT NOT NULL,
        parent_id BIGINT,
        name TEXT NOT NULL,
        role TEXT,
        is_subscribed BIGINT NOT NULL,
        uid_validity BIGINT NOT NULL,
        uid_next BIGINT NOT NULL DEFAULT 1,
        mod_seq BIGINT NOT NULL,
        messages BIGINT NOT NULL DEFAULT 0,
        unseen BIGINT NOT NULL DEFAULT 0,
        deleted BIGINT NOT NULL DEFAULT 0,
        size_bytes BIGINT NOT NULL DEFAULT 0,
        PRIMARY KEY (account_id, mailbox_id),
        FOREIGN KEY (account_id, parent_id) REFERENCES mailbox (account_id, mailbox_id)
    )""",
    "CREATE UNIQUE INDEX mailbox_name ON mailbox (account_id, COALESCE(parent_id, 0), name)",
    "CREATE UNIQUE INDEX mailbox_role ON mailbox (account_id, role) WHERE role IS NOT NULL",
    """CREATE TABLE mailbox_keyword (
        account_id TEXT NOT NULL,
        mailbox_id BIGINT NOT NULL,
        keyword TEXT NOT NULL,
        PRIMARY KEY (account_id, mailbox_id, keyword),
        FOREIGN KEY (account_id, mailbox_id) REFERENCES mailbox (account_id, mailbox_id) ON DELETE CASCADE
    )""",
    "CREATE TABLE absent_subscription (account_id TEXT NOT NULL, path TEXT NOT NULL)",
    # By its hash: a path may have more octets than a row of an index.
    "CREATE UNIQUE INDEX absent_subscription_path ON absent_subscription (account_id, md5(path))",
    """CREATE TABLE message (
        account_id TEXT NOT NULL,
        message_id BIGINT NOT NULL,
        thread_id BIGINT NOT NULL,
        size_bytes BIGINT NOT NULL,
        received_at BIGINT NOT NULL,
        sent_at BIGINT,
        blob_key BIGINT NOT NULL,
        has_attachment BIGINT NOT NULL,
        PRIMARY KEY (account_id, message_id)
    )""",
    "CREATE INDEX message_shared_blob ON message (account_id, blob_key) WHERE blob_key <> message_id",
    "CREATE INDEX message_thread ON message (account_id, thread_id) WHERE thread_id <> message_id",
    """CREATE TABLE blob (
        account_id TEXT NOT NULL,
        blob_key BIGINT NOT NULL,
        blob_id BYTEA NOT NULL,
        forms BYTEA NOT NULL,
        content BYTEA,
        file TEXT,
        PRIMARY KEY (account_id, blob_key)
    )""",
    # Whoever clears an object store away asks for a file and not for an account.
    "CREATE INDEX blob_file ON blob (file) WHERE file IS NOT NULL",
    """CREATE TABLE head_pack (
        account_id TEXT NOT NULL,
        block BIGINT NOT NULL,
        messages BIGINT NOT NULL,
        envelopes BYTEA NOT NULL,
        header_blocks BYTEA NOT NULL,
        structures BYTEA NOT NULL,
        words BYTEA NOT NULL,
        PRIMARY KEY (account_id, block)
    )""",
    """CREATE TABLE thread_key (
        account_id TEXT NOT NULL,
        key BIGINT NOT NULL,
        thread_id BIGINT NOT NULL,
        PRIMARY KEY (account_id, key)
    )""",
    """CREATE TABLE placement (
        account_id TEXT NOT NULL,
        mailbox_id BIGINT NOT NULL,
        uid BIGINT NOT NULL,
        message_id BIGINT NOT NULL,
        mod_seq BIGINT NOT NULL,
        is_deleted BIGINT NOT NULL,
        keywords TEXT NOT NULL,
        saved_at BIGINT,
        PRIMARY KEY (account_id, mailbox_id, uid),
        FOREIGN KEY (account_id, mailbox_id) REFERENCES mailbox (account_id, mailbox_id),
        FOREIGN KEY (account_id, message_id) REFERENCES message (account_id, message_id)
    )""",
    "CREATE INDEX placement_message ON placement (account_id, message_id)",
    """CREATE TABLE change_log (
        account_id TEXT NOT NULL,
        mod_seq BIGINT NOT NULL,
        mailbox_id BIGINT NOT NULL,
        uid BIGINT NOT NULL,
        message_id BIGINT NOT NULL,
        kind BIGINT NOT NULL,
        changed_at BIGINT NOT NULL,
        PRIMARY KEY (account_id, mod_seq, mailbox_id, uid)
    )""",
    # part: a message with very many words has several rows. Lexemes begin with the account, so that the index leads to
    # one account's messages; and no list of what is yet to be sorted in, which every search of any account would read.
    """CREATE TABLE search_index (
        account_id TEXT NOT NULL,
        message_id BIGINT NOT NULL,
        part BIGINT NOT NULL,
        words TSVECTOR NOT NULL,
        PRIMARY KEY (account_id, message_id, part)
    )""",
    "CREATE INDEX search_index_words ON search_index USING gin (words) WITH (fastupdate = off)",
    """CREATE TABLE search_state (
        account_id TEXT PRIMARY KEY,
        indexed_up_to BIGINT NOT NULL
    )""",
    """CREATE TABLE search_partial (
        account_id TEXT NOT NULL,
        message_id BIGINT NOT NULL,
        PRIMARY KEY (account_id, message_id)
    )""",
    # chunk: never given twice, as vocabulary.py's caches ask.
    """CREATE TABLE search_vocabulary (
        account_id TEXT NOT NULL,
        chunk BIGINT NOT NULL GENERATED BY DEFAULT AS IDENTITY,
        level BIGINT NOT NULL,
        words BYTEA NOT NULL,
        PRIMARY KEY (account_id, chunk)
    )""",
    """CREATE TABLE access (
        account_id TEXT NOT NULL,
        mailbox_id BIGINT NOT NULL,
        identifier TEXT NOT NULL,
        grantee_id TEXT NOT NULL,
        rights TEXT NOT NULL,
        PRIMARY KEY (account_id, mailbox_id, identifier),
        FOREIGN KEY (account_id, mailbox_id) REFERENCES mailbox (account_id, mailbox_id) ON DELETE CASCADE
    )""",
    """CREATE TABLE subscription (
        account_id TEXT NOT NULL,
        owner_id TEXT NOT NULL,
        mailbox_id BIGINT NOT NULL,
        PRIMARY KEY (account_id, owner_id, mailbox_id)
    )""",
    """CREATE TABLE annotation (
        account_id TEXT NOT NULL,
        mailbox_id BIGINT,
        viewer_id TEXT NOT NULL,
        entry TEXT NOT NULL,
        value BYTEA NOT NULL,
        FOREIGN KEY (account_id, mailbox_id) REFERENCES mailbox (account_id, mailbox_id) ON DELETE CASCADE
    )""",
    "CREATE UNIQUE INDEX annotation_entry ON annotation (account_id, COALESCE(mailbox_id, 0), entry, viewer_id)",
)

SIGHT = ("ALTER TABLE change_log ADD COLUMN was_deleted BIGINT NOT NULL DEFAULT 0",)

MIGRATIONS = (Migration(number=2, statements=LAYOUT), Migration(number=3, statements=SIGHT))
"""Numbered as SQLite's: version 1 was never on PostgreSQL."""
