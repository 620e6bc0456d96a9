"""Rows of the change log: what they say happened, and to what."""

CREATED, UPDATED, DESTROYED = 1, 2, 3
ACCESS = 4
"""Of a mailbox, where its list has changed or it was moved: who may know of what may be another."""
NO_UID = 0
"""The row is about the mailbox itself."""
NOWHERE = 0
"""In place of a mailbox: the message whose id stands for the UID is gone, of the thread whose id stands for the
message's. Of a message whose thread has its own id nothing is said."""

LOG = """INSERT INTO change_log (/*key*/ mod_seq, mailbox_id, uid, message_id, kind, was_deleted, changed_at)
    VALUES (/*value*/ ?, ?, ?, ?, ?, ?, ?)"""
"""was_deleted: whether the message had \\Deleted there before; of one that was not there, and of mailboxes: no."""
