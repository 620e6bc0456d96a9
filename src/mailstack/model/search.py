"""What the full-text index is told of a message, and asked about many: words in places.

The index knows which words a message has, not their order: what more a query wants is verified on the text.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum

from mailstack.model.ids import MessageId, Uid
from mailstack.model.message import RawMessage
from mailstack.model.query import DayRange, EmailIdIs, HasAttachment, InstantRange, SizeRange, ThreadIdIs


class Scope(StrEnum):
    """Where in a message a word stands; the letter is the one that it is stored under. *_SHOWN: in the field as it is
    displayed, and not as it stands in the header. HEADER: field names, other fields, and what is in the named fields
    but not displayed. MIME: the headers of parts, and names of files. ATTACHMENT: the text of a part that is attached.
    """

    SUBJECT = "S"
    SUBJECT_SHOWN = "U"
    FROM = "F"
    FROM_SHOWN = "G"
    TO = "T"
    TO_SHOWN = "V"
    CC = "C"
    CC_SHOWN = "D"
    BCC = "B"
    HEADER = "H"
    MIME = "M"
    BODY = "X"
    ATTACHMENT = "A"


class WordMatch(Enum):
    EXACT = "exact"
    PREFIX = "prefix"  # the indexed word begins with it
    SUFFIX = "suffix"  # the indexed word ends with it
    INFIX = "infix"


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """spellings: for each letter of the text those that may stand there, for a PREFIX; () for that letter alone."""

    match: WordMatch
    text: str
    spellings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HasWords:
    """Each of the words somewhere in these scopes."""

    scopes: tuple[Scope, ...]
    words: tuple[Word, ...]


Condition = HasWords | DayRange | InstantRange | SizeRange | EmailIdIs | ThreadIdIs | HasAttachment
"""What a store decides by itself about each message of a mailbox."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hits:
    """Ascending. open: what the store cannot decide, because it knows too little of the message."""

    uids: list[Uid]
    open: list[Uid]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unindexed:
    """A message that waits for the index. raw: None where it is damaged."""

    message_id: MessageId
    raw: RawMessage | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedMessage:
    """is_partial: there is more in it than these words."""

    message_id: MessageId
    words: Mapping[Scope, Collection[str]]
    is_partial: bool = False
