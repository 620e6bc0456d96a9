"""What is done to the rows of an account with three messages, in SQLite's words, and the rules that it breaks.

Foreign keys are off, as they are for a disk that rots.
"""

from collections.abc import Mapping

DAMAGE: Mapping[str, set[str]] = {
    "UPDATE mailbox SET unseen = unseen + 1 WHERE mailbox_id = 1": {"mailbox-counts"},
    "UPDATE mailbox SET messages = 0 WHERE mailbox_id = 1": {"mailbox-counts"},
    "UPDATE mailbox SET uid_next = 2 WHERE mailbox_id = 1": {"uid-next"},
    "UPDATE counter SET last_uid_validity = 0": {"uid-validity"},
    "UPDATE mailbox SET parent_id = 2 WHERE mailbox_id = 2": {"mailbox-tree"},
    "DELETE FROM message WHERE message_id = 1": {
        "placement-without-message", "mailbox-counts", "quota", "blob-without-message", "foreign-key-check",
    },
    "UPDATE placement SET mailbox_id = 99 WHERE uid = 3": {
        "placement-without-mailbox", "mailbox-counts", "change-log", "foreign-key-check", "keyword-not-listed",
    },
    "DELETE FROM placement WHERE message_id = 2": {"message-nowhere", "mailbox-counts"},
    "INSERT INTO placement SELECT * FROM (SELECT 1, 4, 1, mod_seq, 0, '', 0 FROM placement WHERE uid = 1 LIMIT 1)": {
        "message-twice", "mailbox-counts", "uid-next", "change-log", "keywords-differ",
    },
    "INSERT INTO access VALUES (99, 'anyone', '', 'lr')": {"foreign-key-check"},
    "INSERT INTO annotation VALUES (99, '', '/shared/comment', x'00')": {"foreign-key-check"},
    "INSERT INTO access VALUES (1, 'bob@example.com', '', 'lrz')": {"access"},
    "INSERT INTO access VALUES (1, 'bob@example.com', '0', '')": {"access"},
    "INSERT INTO access VALUES (1, '-anyone', '0', 'l')": {"access"},
    "INSERT INTO annotation VALUES (1, '', '/private/comment', x'00')": {"annotation"},
    "INSERT INTO annotation VALUES (1, '0', '/shared/comment', x'00')": {"annotation"},
    "INSERT INTO annotation VALUES (NULL, '', '/shared/Comment', x'00')": {"annotation"},
    "INSERT INTO subscription VALUES ('', 1)": {"subscription"},
    "INSERT INTO absent_subscription VALUES ('a/')": {"subscription"},
    "DELETE FROM blob WHERE blob_key = 2": {"message-without-blob"},
    "INSERT INTO blob (blob_key, blob_id, forms, content) VALUES (77, zeroblob(32), x'00', x'00')": {
        "blob-without-message",
    },
    "UPDATE blob SET content = NULL WHERE blob_key = 1": {"blob-bytes"},
    "UPDATE blob SET blob_id = x'00' WHERE blob_key = 1": {"blob-bytes"},
    "UPDATE placement SET keywords = 'other' WHERE mailbox_id <> 1": {"keywords-differ", "keyword-not-listed"},
    "INSERT INTO head_pack VALUES (0, 2, x'', x'', x'', x'')": {"head-pack"},
    "DELETE FROM mailbox_keyword WHERE mailbox_id = 1": {"keyword-not-listed"},
    "UPDATE counter SET mod_seq = 1": {"mod-seq"},
    "UPDATE counter SET last_message_id = 1": {"message-id"},
    "DELETE FROM change_log WHERE uid = 2": {"change-log"},
    "UPDATE counter SET floor_mod_seq = (SELECT MAX(mod_seq) FROM change_log)": {"change-log-floor"},
    "UPDATE counter SET used_bytes = 5": {"quota"},
    "UPDATE search_state SET indexed_up_to = 99": {"index-ahead", "message-not-indexed"},
    "DELETE FROM search_state": {"index-state"},
    "UPDATE placement SET keywords = '\"' WHERE message_id = 2": {"keyword-not-listed"},
    "INSERT INTO search_index (rowid, words) VALUES (99, 'Xword')": {"index-without-message"},
    "INSERT INTO search_partial (message_id) VALUES (99)": {"index-without-message"},
    "UPDATE message SET thread_id = 99": {"thread"},
}  # fmt: skip
