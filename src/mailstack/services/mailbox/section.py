"""BODY[section]<partial>: octets of a message, cut out by its part table.

Not the parsing of a section (wire/imap), not decoding but for BINARY. RFC 9051 §6.4.5.1, RFC 3501 §6.4.5.
"""

import re
from collections.abc import Callable
from functools import lru_cache

from mailstack.formats.content import decode_transfer
from mailstack.formats.digest import OFTEN_ASKED
from mailstack.formats.headers import scan_fields
from mailstack.formats.part_table import PartKind, PartRange, TransferEncoding, unpack
from mailstack.model.errors import Unsupported
from mailstack.model.message import RawMessage
from mailstack.model.section import Partial, Section, SectionText

HeaderSelector = Callable[[bytes], bytes]
"""From MessageDigest.header_block to what BODY[HEADER.FIELDS (…)] sends."""

_WHOLE_MESSAGE = Section()
FIELD_LISTS = (SectionText.HEADER_FIELDS, SectionText.HEADER_FIELDS_NOT)


def read_section(raw: RawMessage, parts: bytes, section: Section, partial: Partial | None = None) -> bytes | None:
    """parts: MessageDigest.parts. None when the message has no such part: RFC 9051 §7.5.2 answers that with NIL.

    HEADER and TEXT behind a part number exist only for an embedded message. Only what is asked for is copied.
    """
    if section.text in FIELD_LISTS:
        header = section_range(len(raw), parts, Section(part=section.part, text=SectionText.HEADER))
        return None if header is None else within(select_fields(raw[header[0] : header[1]], section), partial)
    found = partial_range(len(raw), parts, section, partial)
    return None if found is None else raw[found[0] : found[1]]


def section_range(size: int, parts: bytes, section: Section) -> tuple[int, int] | None:
    """Where the section lies in a message of `size` octets; None: no such part. Not for the two field lists.

    For streaming a large message out piece by piece.
    """
    if section == _WHOLE_MESSAGE:
        return 0, size
    root = unpack(parts)
    if not section.part:
        return _of_message(root, section.text)
    part = _find(root, section.part)
    if part is None:
        return None
    if section.text is SectionText.WHOLE:
        return part.body_start, part.body_end
    if section.text is SectionText.MIME:
        # RFC 9051 §6.4.5.1: the MIME header of this part, not of a message inside it.
        return part.header_start, part.body_start
    # RFC 9051 §6.4.5.1: HEADER and TEXT refer to the embedded message of a message/rfc822 part.
    return _of_message(part.children[0], section.text) if part.kind is PartKind.MESSAGE else None


def partial_range(size: int, parts: bytes, section: Section, partial: Partial | None = None) -> tuple[int, int] | None:
    """As section_range, of the part of it that is asked for."""
    found = section_range(size, parts, section)
    if found is None or partial is None:
        return found
    start = min(found[0] + partial.offset, found[1])
    return start, min(start + partial.count, found[1])


def section_encoding(parts: bytes, section: Section) -> TransferEncoding:
    """How the section is encoded for transfer; what is no leaf is not. RFC 2045 §6.4."""
    found = _find(unpack(parts), section.part) if section.part else None
    return found.encoding if found is not None and found.kind is PartKind.LEAF else TransferEncoding.IDENTITY


def decoded_section(octets: bytes, encoding: TransferEncoding) -> bytes:
    """BINARY: the transfer encoding undone. Raises Unsupported for an unknown one, RFC 3516 §4.3: UNKNOWN-CTE."""
    if encoding is TransferEncoding.UNKNOWN:
        raise Unsupported("a transfer encoding that is unknown here")
    return decode_transfer(octets, encoding)


def select_fields(header: bytes, section: Section) -> bytes:
    """HEADER.FIELDS and HEADER.FIELDS.NOT of a header section.

    RFC 9051 §6.4.5.1: the fields as they stand, in their order, and always a closing empty line.
    """
    names = {name.lower().encode("ascii", "replace") for name in section.fields}
    is_wanted = section.text is SectionText.HEADER_FIELDS
    chosen = [
        _whole_line(header[field.start : field.end])
        for field in scan_fields(header, 0, len(header))
        if (field.name in names) is is_wanted
    ]
    return b"".join(chosen) + b"\r\n"


def within(octets: bytes, partial: Partial | None) -> bytes:
    return octets if partial is None else octets[partial.offset : partial.offset + partial.count]


@lru_cache(maxsize=256)
def header_selector(fields: tuple[str, ...]) -> HeaderSelector | None:
    """How to answer BODY[HEADER.FIELDS (…)] of the whole message without reading it; None when a field is asked for
    that the header block does not keep."""
    names = {name.lower().encode("ascii", "replace") for name in fields}
    if not names <= OFTEN_ASKED:
        return None
    alternatives = b"|".join(re.escape(name) for name in sorted(names))
    # A line break in front, so that the search leaps from line to line.
    found_in = re.compile(rb"\n((?:%b)[ \t]*+:[^\n]*+(?:\n[ \t][^\n]*+)*+)" % alternatives, re.IGNORECASE).findall

    def select(header_block: bytes) -> bytes:
        found = found_in(b"\n" + header_block[:-1])
        found.append(b"\r\n")
        return b"\n".join(found)

    return select


def _of_message(message: PartRange, text: SectionText) -> tuple[int, int] | None:
    if text is SectionText.HEADER:
        return message.header_start, message.body_start
    if text is SectionText.TEXT:
        return message.body_start, message.body_end
    return None


def _find(message: PartRange, numbers: tuple[int, ...]) -> PartRange | None:
    """RFC 9051 §6.4.5.1: a message that is no multipart has one part, number 1: itself. A message/rfc822 part has the
    numbers of the message inside it."""
    at, is_message = message, True
    for number in numbers:
        if at.kind is PartKind.MESSAGE and not is_message:
            at, is_message = at.children[0], True
        if at.kind is PartKind.MULTIPART:
            if not 1 <= number <= len(at.children):
                return None
            at = at.children[number - 1]
        elif not is_message or number != 1:
            return None
        is_message = False
    return at


def _whole_line(field: bytes) -> bytes:
    return field if field.endswith(b"\n") else field + b"\r\n"
