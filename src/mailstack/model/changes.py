"""The change log of an account: what CONDSTORE, QRESYNC, JMAP's /changes and DAV's sync-token are read from."""

from dataclasses import dataclass
from enum import StrEnum

from mailstack.model.ids import MailboxId, MessageId, ModSeq, Uid


class ChangedType(StrEnum):
    MAILBOX = "mailbox"
    MESSAGE = "message"


class ChangeKind(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    DESTROYED = "destroyed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One row of the log. For a message: in mailbox_id, under uid; for a mailbox: message_id and uid are None."""

    mod_seq: ModSeq
    type: ChangedType
    kind: ChangeKind
    mailbox_id: MailboxId
    message_id: MessageId | None
    uid: Uid | None
