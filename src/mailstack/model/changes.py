"""The change log of an account: what CONDSTORE, QRESYNC, JMAP's /changes and DAV's sync-token are read from."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, NamedTuple, TypeVar

from mailstack.model.ids import MailboxId, MessageId, ModSeq, Uid


class ChangedType(StrEnum):
    MAILBOX = "mailbox"
    MESSAGE = "message"


class ChangeKind(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    DESTROYED = "destroyed"
    ACCESS = "access"
    """Of a mailbox: others may know of it, or of what stands above it, than before; else as UPDATED."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One row of the log. For a message: in mailbox_id, under uid; for a mailbox: message_id and uid are None."""

    mod_seq: ModSeq
    type: ChangedType
    kind: ChangeKind
    mailbox_id: MailboxId
    message_id: MessageId | None
    uid: Uid | None


class LogHead(NamedTuple):
    """Where an account is. message_id: the newest that there ever was, 0 before the first."""

    mod_seq: ModSeq
    message_id: MessageId
    used_bytes: int


class LogPoint(NamedTuple):
    """How far in the log somebody is: all up to mod_seq, or of that one's changes only those of ids to up_to."""

    mod_seq: ModSeq
    up_to: int | None = None


Id = TypeVar("Id", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedIds(Generic[Id]):
    """What came, changed and went between two points, each once. RFC 8620 §5.2.

    counted_only: those of updated in which nothing but numbers of messages has changed; only mailboxes have any.
    """

    created: Sequence[Id]
    updated: Sequence[Id]
    destroyed: Sequence[Id]
    point: LogPoint
    has_more: bool
    counted_only: frozenset[Id] = frozenset()
