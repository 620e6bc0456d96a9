"""Rows of the change log: what they say happened, and to what."""

CREATED, UPDATED, DESTROYED = 1, 2, 3
NO_UID = 0
"""The row is about the mailbox itself."""

LOG = """INSERT INTO change_log (/*key*/ mod_seq, mailbox_id, uid, message_id, kind, changed_at)
    VALUES (/*value*/ ?, ?, ?, ?, ?, ?)"""
