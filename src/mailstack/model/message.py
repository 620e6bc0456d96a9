"""Messages: bytes, what is worth knowing about them, and their places in mailboxes.

One message may lie in many mailboxes. Keywords belong to the message, UID, ModSeq and \\Deleted to the placement.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import compress
from mmap import mmap
from typing import NamedTuple

from mailstack.model.flags import NO_KEYWORDS, Keywords, keywords_from_text
from mailstack.model.ids import BlobId, MessageId, ModSeq, ThreadId, Uid
from mailstack.model.instant import Instant

RawMessage = bytes | mmap
"""A whole message with CRLF line endings; a large one is a mapped file, so that it never fills the memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDigest:
    """What listing, searching and FETCH need, computed once at delivery by formats.digest and stored ready to send.

    envelope, body, body_structure: RFC 9051 §7.5.2, the parenthesised wire form of ENVELOPE, BODY and BODYSTRUCTURE.
    parts: the table of part offsets, packed by formats.mime; reading BODY[2.1] needs it and nothing else.
    header_block: the often asked header fields as raw bytes, in message order, without the closing empty line.
    sent_at: the Date field. message_id and references: without angle brackets; "" and () where there are none.
    base_subject: RFC 5256 §2.1. from_, to, cc: for sorting and searching, decoded, one address after the other.
    """

    envelope: bytes
    body: bytes
    body_structure: bytes
    parts: bytes
    header_block: bytes
    preview: str
    subject: str
    base_subject: str
    from_: str
    to: str
    cc: str
    message_id: str
    references: tuple[str, ...]
    sent_at: Instant | None
    has_attachment: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMessage:
    """received_at: INTERNALDATE."""

    raw: RawMessage
    received_at: Instant
    digest: MessageDigest
    keywords: Keywords = NO_KEYWORDS
    is_deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    message_id: MessageId
    uid: Uid
    mod_seq: ModSeq


class Placement(NamedTuple):
    """One message in one mailbox; a tuple because a mailbox of 100,000 is listed by it."""

    uid: Uid
    message_id: MessageId
    mod_seq: ModSeq
    is_deleted: bool
    keywords_text: str

    @property
    def keywords(self) -> Keywords:
        return keywords_from_text(self.keywords_text)


class FlagSet(NamedTuple):
    """One combination of flags; a mailbox of 100,000 messages has a dozen."""

    keywords_text: str
    is_deleted: bool

    @property
    def keywords(self) -> Keywords:
        return keywords_from_text(self.keywords_text)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacementTable:
    """Placements of one mailbox in columns, by ascending UID: 24 octets each, and no object.

    uids: "I"; message_ids and mod_seqs: "q"; flag_numbers: "I", which of flag_sets each has.
    """

    uids: "array[int]"
    message_ids: "array[int]"
    mod_seqs: "array[int]"
    flag_numbers: "array[int]"
    flag_sets: Sequence[FlagSet]

    def __len__(self) -> int:
        return len(self.uids)

    def shown(self, beside: Sequence[int]) -> Sequence[int]:
        """Of a column of it, or what stands beside it: without those that have \\Deleted. RFC 8621 §4.1.1."""
        shown = [not flags.is_deleted for flags in self.flag_sets]
        return beside if all(shown) else list(compress(beside, map(shown.__getitem__, self.flag_numbers)))

    def placement(self, at: int) -> Placement:
        flags = self.flag_sets[self.flag_numbers[at]]
        return Placement(
            Uid(self.uids[at]),
            MessageId(self.message_ids[at]),
            ModSeq(self.mod_seqs[at]),
            flags.is_deleted,
            flags.keywords_text,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMessage:
    """Facts that never change once the message is stored."""

    message_id: MessageId
    thread_id: ThreadId
    blob_id: BlobId
    size_bytes: int
    received_at: Instant
    digest: MessageDigest


class Column(Enum):
    """What ports.messages.columns reads of each message; the value is of the type that MessageDigest, StoredMessage and
    Placement give it. EMAIL_ID: EmailId. SAVED_AT: RFC 8514: when the message came into this mailbox, Instant, or
    None for old ones.
    """

    MESSAGE_ID = "message_id"
    EMAIL_ID = "email_id"
    THREAD_ID = "thread_id"
    SIZE_BYTES = "size_bytes"
    RECEIVED_AT = "received_at"
    SENT_AT = "sent_at"
    SAVED_AT = "saved_at"
    SUBJECT = "subject"
    BASE_SUBJECT = "base_subject"
    FROM = "from_"
    TO = "to"
    CC = "cc"
    HEADER_ID = "header_id"
    REFERENCES = "references"
    ENVELOPE = "envelope"
    BODY = "body"
    BODY_STRUCTURE = "body_structure"
    PARTS = "parts"
    HEADER_BLOCK = "header_block"
    PREVIEW = "preview"


class FlagOperation(Enum):
    """RFC 9051 §6.4.6: FLAGS, +FLAGS, -FLAGS."""

    SET = "set"
    ADD = "add"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagChange:
    """keywords hold no \\Deleted; is_deleted says whether the change names it.
    unchanged_since: RFC 7162 §3.1.3; None: unconditional.
    """

    operation: FlagOperation
    keywords: Keywords
    is_deleted: bool
    unchanged_since: ModSeq | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagsChanged:
    """changed: the new state of all that was named and exists, changed or not. refused: failed unchanged_since.
    mod_seq: of what truly changed; None when nothing did.
    """

    changed: tuple[Placement, ...]
    refused: tuple[Uid, ...]
    mod_seq: ModSeq | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """RFC 4315 §3: the pairs of COPYUID, in the order of the source."""

    uid_validity: int
    pairs: tuple[tuple[Uid, Uid], ...]
