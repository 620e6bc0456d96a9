"""The search tree that IMAP SEARCH, JMAP Email/query and the webmail share. RFC 9051 §6.4.4, RFC 8621 §4.4.1.

InSequence, SavedResult and AgeRange mean something to one session at one time only: it rewrites them, by `rewritten`,
before anybody else looks. So does services.mailbox.emails_found with what asks about a whole account: InMailbox,
InMailboxOtherThan and ThreadHasKeyword.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from mailstack.model.ids import MailboxId, ModSeq
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
    SAVED = "saved"  # RFC 8514: when it came into this mailbox; INTERNALDATE where nobody wrote that down


class ThreadReach(StrEnum):
    """Of how many messages of a thread something is asked."""

    ALL = "all"
    SOME = "some"
    NONE = "none"


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
    """needle: not yet case-folded; an empty one matches every message that has the field. is_phrase: it has
    several words, white space only between them, and that may be any, such as the end of a line (RFC 8621 §4.4.1)."""

    field: TextField
    needle: str
    is_phrase: bool = False


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
    """[first, last); None is open. What AgeRange becomes, and JMAP's before/after."""

    field: TimeField
    first: Instant | None
    last: Instant | None


@dataclass(frozen=True, slots=True)
class AgeRange:
    """RFC 5032: by INTERNALDATE, in seconds before now; None is open."""

    older_s: int | None
    younger_s: int | None


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
    """Message numbers of the session's own view."""

    numbers: NumSet


@dataclass(frozen=True, slots=True)
class SavedResult:
    """RFC 5182 §2.1: `$`, what the session's last SEARCH RETURN (SAVE) found."""


@dataclass(frozen=True, slots=True)
class ModSeqAtLeast:
    """RFC 7162 §3.1.5."""

    mod_seq: ModSeq


@dataclass(frozen=True, slots=True)
class EmailIdIs:
    """RFC 8474 §6. object_id: as model.objectid spells it; one of another account, or none of ours, matches nothing."""

    object_id: str


@dataclass(frozen=True, slots=True)
class ThreadIdIs:
    object_id: str


@dataclass(frozen=True, slots=True)
class HasAttachment: ...


@dataclass(frozen=True, slots=True)
class InMailbox:
    mailbox_id: MailboxId


@dataclass(frozen=True, slots=True)
class InMailboxOtherThan:
    """Lies in a mailbox that is none of these. RFC 8621 §4.4.1."""

    mailbox_ids: frozenset[MailboxId]


@dataclass(frozen=True, slots=True)
class ThreadHasKeyword:
    """RFC 8621 §4.4.1: of the messages of its thread, itself among them, that the viewer may see."""

    reach: ThreadReach
    keyword: str


@dataclass(frozen=True, slots=True)
class Fuzzy:
    """RFC 6203 §3: the texts of this term may match approximately; what is no text matches as ever."""

    term: "Query"


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
    | AgeRange
    | SizeRange
    | InUids
    | InSequence
    | SavedResult
    | ModSeqAtLeast
    | EmailIdIs
    | ThreadIdIs
    | HasAttachment
    | InMailbox
    | InMailboxOtherThan
    | ThreadHasKeyword
    | Fuzzy
)


def rewritten(query: Query, leaf: Callable[[Query], Query]) -> Query:
    """The same tree with other leaves."""
    match query:
        case And(terms):
            return And(tuple(rewritten(term, leaf) for term in terms))
        case Or(terms):
            return Or(tuple(rewritten(term, leaf) for term in terms))
        case Not(term):
            return Not(rewritten(term, leaf))
        case Fuzzy(term):
            return Fuzzy(rewritten(term, leaf))
        case _:
            return leaf(query)


def nodes(query: Query) -> Iterator[Query]:
    """The tree and all that is in it."""
    yield query
    match query:
        case And(terms) | Or(terms):
            for term in terms:
                yield from nodes(term)
        case Not(term) | Fuzzy(term):
            yield from nodes(term)
        case _:
            return
