"""Which part of a message is meant. RFC 9051 §6.4.5: BODY[section]<partial>; JMAP's body parts name the same places."""

from dataclasses import dataclass
from enum import Enum


class SectionText(Enum):
    """RFC 9051 §9: section-spec. WHOLE: nothing after the part number, the message or the part's body."""

    WHOLE = ""
    HEADER = "HEADER"
    HEADER_FIELDS = "HEADER.FIELDS"
    HEADER_FIELDS_NOT = "HEADER.FIELDS.NOT"
    TEXT = "TEXT"
    MIME = "MIME"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """part: 2.1 is (2, 1), () the whole message. fields: names in the asker's spelling, for the two field lists."""

    part: tuple[int, ...] = ()
    text: SectionText = SectionText.WHOLE
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Partial:
    """RFC 9051 §6.4.5: count octets from offset on; past the end is empty, not an error."""

    offset: int
    count: int
