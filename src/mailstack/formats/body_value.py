"""The text of one part as a JMAP client gets it: decoded, with LF, cut where it asked. RFC 8621 §4.1.4, §4.2."""

import re
from dataclasses import dataclass

from mailstack.formats.body_parts import content_of
from mailstack.formats.charsets import decode_told
from mailstack.formats.mime import Part
from mailstack.formats.part_table import TransferEncoding, encoding_of
from mailstack.formats.words import parameter
from mailstack.model.message import RawMessage

# What begins a tag, a comment or a declaration.
_TAG_START = re.compile(r"<(?=[a-zA-Z/!?]|\Z)")


@dataclass(frozen=True, slots=True)
class BodyValue:
    """is_encoding_problem: the charset or the transfer encoding is unknown, or some of it could not be read."""

    text: str
    is_encoding_problem: bool
    is_truncated: bool


def body_value(raw: RawMessage, part: Part, *, max_octets: int) -> BodyValue:
    """max_octets: of the text in UTF-8; 0 for no limit."""
    charset = parameter(part.parameters, b"charset") or ""
    text, is_problem = decode_told(content_of(raw, part), charset)
    text = text.replace("\r\n", "\n")
    kept = _cut(text, max_octets, is_markup=part.subtype == b"html") if max_octets else text
    is_unknown = encoding_of(part.encoding) is TransferEncoding.UNKNOWN
    return BodyValue(kept, is_problem or is_unknown, len(kept) < len(text))


def _cut(text: str, max_octets: int, *, is_markup: bool) -> str:
    octets = text[:max_octets].encode()
    if len(octets) <= max_octets and len(text) <= max_octets:
        return text
    kept = octets[:max_octets].decode("utf-8", "ignore")
    return _outside_tags(kept) if is_markup else kept


def _outside_tags(markup: str) -> str:
    last_end = markup.rfind(">") + 1
    opened = _TAG_START.search(markup, last_end)
    return markup if opened is None else markup[: opened.start()]
