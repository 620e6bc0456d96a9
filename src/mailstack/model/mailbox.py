"""Mailboxes: a tree of names with a role each at most. RFC 9051 §5.1, RFC 6154, RFC 8621 §2."""

from dataclasses import dataclass
from enum import StrEnum

from mailstack.model.ids import MailboxId, ModSeq, Uid

DELIMITER = "/"
INBOX = "INBOX"


class MailboxRole(StrEnum):
    """RFC 6154 §2 and RFC 8621 §2, in JMAP's spelling."""

    INBOX = "inbox"
    ALL = "all"
    ARCHIVE = "archive"
    DRAFTS = "drafts"
    FLAGGED = "flagged"
    JUNK = "junk"
    SENT = "sent"
    TRASH = "trash"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxStatus:
    """RFC 9051 §6.3.11."""

    messages: int
    unseen: int
    deleted: int
    size_bytes: int
    uid_next: Uid
    uid_validity: int
    highest_mod_seq: ModSeq


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailbox:
    """name: the leaf, decoded and NFC; the path is made by walking parent_id. The inbox's name is INBOX. status: at the
    moment when it was read."""

    mailbox_id: MailboxId
    parent_id: MailboxId | None
    name: str
    role: MailboxRole | None
    is_subscribed: bool
    status: MailboxStatus

    @property
    def uid_validity(self) -> int:
        return self.status.uid_validity


STANDARD_MAILBOXES: tuple[tuple[str, MailboxRole], ...] = (
    (INBOX, MailboxRole.INBOX),
    ("Drafts", MailboxRole.DRAFTS),
    ("Sent", MailboxRole.SENT),
    ("Junk", MailboxRole.JUNK),
    ("Trash", MailboxRole.TRASH),
    ("Archive", MailboxRole.ARCHIVE),
)
"""What every account is born with, subscribed."""
