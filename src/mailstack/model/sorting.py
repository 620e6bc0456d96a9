"""In which order results come, and how messages hang together. RFC 5256, RFC 5957, RFC 6203; JMAP's sorts and threads
are the same ideas (RFC 8621 §3, §4.4.2).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum

from mailstack.model.query import ThreadReach


class SortField(Enum):
    """RFC 5256 §3, RFC 5957 §4 (DISPLAY…), RFC 6203 §6 (RELEVANCY: the highest score first)."""

    ARRIVAL = "ARRIVAL"
    CC = "CC"
    DATE = "DATE"
    DISPLAY_FROM = "DISPLAYFROM"
    DISPLAY_TO = "DISPLAYTO"
    FROM = "FROM"
    RELEVANCY = "RELEVANCY"
    SIZE = "SIZE"
    SUBJECT = "SUBJECT"
    TO = "TO"


class Collation(StrEnum):
    """How texts are compared: RFC 5051, RFC 4790 §9."""

    UNICODE = "i;unicode-casemap"
    ASCII = "i;ascii-casemap"
    OCTET = "i;octet"


@dataclass(frozen=True, slots=True)
class SortKey:
    field: SortField
    is_reverse: bool = False
    collation: Collation = Collation.UNICODE


@dataclass(frozen=True, slots=True)
class KeywordKey:
    """RFC 8621 §4.4.2: those that have it after those that do not. thread: asked of its thread, and not of the message
    itself."""

    keyword: str
    thread: ThreadReach | None = None
    is_reverse: bool = False


EmailSortKey = SortKey | KeywordKey


class ThreadAlgorithm(Enum):
    ORDERED_SUBJECT = "ORDEREDSUBJECT"
    REFERENCES = "REFERENCES"


@dataclass(frozen=True, slots=True, kw_only=True)
class Forest:
    """Messages by their place in the list that was asked about, from 0; what is not below its length stands for a
    message that is not there, a root with two children or more. children: of those that have any. All in their order.
    """

    roots: Sequence[int]
    children: Mapping[int, Sequence[int]]
