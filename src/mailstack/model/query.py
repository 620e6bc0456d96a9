"""The search tree that IMAP SEARCH, JMAP Email/query and the webmail share. RFC 9051 §6.4.4, RFC 8621 §4.4.1."""

from dataclasses import dataclass
from enum import StrEnum

from mailstack.model.ids import ModSeq
from mailstack.model.instant import Instant
from mailstack.model.numset import NumSet


class TextField(StrEnum):
    """Where a substring is looked for, after decoding of RFC 2047 words and transfer encodings."""

    TEXT = "text"  # header and body
    BODY = "body"
    SUBJECT = "subject"
    FROM = "from"
    TO = "to"
    CC = "cc"
    BCC = "bcc"


class TimeField(StrEnum):
    RECEIVED = "received"  # INTERNALDATE
    SENT = "sent"  # the Date field


@dataclass(frozen=True, slots=True)
class Everything: ...


@dataclass(frozen=True, slots=True)
class And:
    terms: "tuple[Query, ...]"


@dataclass(frozen=True, slots=True)
class Or:
    terms: "tuple[Query, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    term: "Query"


@dataclass(frozen=True, slots=True)
class HasKeyword:
    """keyword: a system flag but \\Deleted, or a keyword; compared without regard to case."""

    keyword: str


@dataclass(frozen=True, slots=True)
class IsDeleted: ...


@dataclass(frozen=True, slots=True)
class Contains:
    """needle: not yet case-folded; an empty one matches every message that has the field."""

    field: TextField
    needle: str


@dataclass(frozen=True, slots=True)
class HeaderContains:
    """name: a field name, any case. An empty needle asks only whether the field is there."""

    name: str
    needle: str


@dataclass(frozen=True, slots=True)
class DayRange:
    """Whole days in UTC, [first, last) as ordinals of datetime.date; None is open.

    RFC 9051 §6.4.4: dates are compared disregarding time and timezone.
    """

    field: TimeField
    first: int | None
    last: int | None


@dataclass(frozen=True, slots=True)
class InstantRange:
    """[first, last); None is open. WITHIN (RFC 5032) and JMAP's before/after."""

    field: TimeField
    first: Instant | None
    last: Instant | None


@dataclass(frozen=True, slots=True)
class SizeRange:
    """Strictly above `larger`, strictly below `smaller`, in octets; None is open."""

    larger: int | None
    smaller: int | None


@dataclass(frozen=True, slots=True)
class InUids:
    uids: NumSet


@dataclass(frozen=True, slots=True)
class InSequence:
    """Message numbers of the session's own view; the session rewrites them to InUids before anyone else looks."""

    numbers: NumSet


@dataclass(frozen=True, slots=True)
class ModSeqAtLeast:
    """RFC 7162 §3.1.5."""

    mod_seq: ModSeq


Query = (
    Everything
    | And
    | Or
    | Not
    | HasKeyword
    | IsDeleted
    | Contains
    | HeaderContains
    | DayRange
    | InstantRange
    | SizeRange
    | InUids
    | InSequence
    | ModSeqAtLeast
)
