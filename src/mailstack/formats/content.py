"""The content of parts: transfer encodings undone, charsets read, text as people see it. Never raises.

RFC 2045 §6.7 (quoted-printable), §6.8 (base64).
"""

import binascii
import re
from collections.abc import Iterator

from mailstack.formats.charsets import decode, decode_beginning
from mailstack.formats.html_text import html_to_text
from mailstack.formats.mime import Part
from mailstack.formats.part_table import TransferEncoding, encoding_of
from mailstack.formats.words import decode_base64, decode_base64_piece, parameter
from mailstack.model.message import RawMessage

# RFC 2045 §6.7 (3): white space at the end of a line was added on the way, also behind the = of a soft line break. The
# look back keeps a search from starting inside a run of it, which would be quadratic.
_PADDING = re.compile(rb"(?<![ \t])[ \t]++(?=\r?\n|\Z)")

_MARKUP = frozenset({b"html", b"xhtml+xml"})


def decode_transfer(data: bytes, encoding: TransferEncoding) -> bytes:
    """What stands there where it is not encoded, or in a way that nobody knows. Tolerant of broken encodings."""
    if encoding is TransferEncoding.BASE64:
        return decode_base64(data)
    if encoding is TransferEncoding.QUOTED_PRINTABLE:
        return binascii.a2b_qp(_PADDING.sub(b"", data))
    return data


def decode_transfer_piece(data: bytes, encoding: TransferEncoding) -> tuple[bytes, bytes]:
    """Of data that goes on: its beginning without the encoding, and the rest, which belongs to what follows."""
    if encoding is TransferEncoding.BASE64:
        return decode_base64_piece(data)
    if encoding is TransferEncoding.QUOTED_PRINTABLE:
        end = data.rfind(b"\n") + 1  # every line stands for itself
        return decode_transfer(data[:end], encoding), data[end:]
    return data, b""


def leaves(part: Part) -> Iterator[Part]:
    """Parts that hold no others, in the order of the message, those of embedded messages too."""
    if not part.children:
        yield part
    for child in part.children:
        yield from leaves(child)


def read_text(raw: RawMessage, part: Part, *, source_limit: int) -> str:
    """The text of a text part as it is read, HTML without its markup; of at most source_limit octets of its body."""
    text = decode_part(raw, part, source_limit=source_limit)
    return html_to_text(text) if part.subtype in _MARKUP else text


def decode_part(raw: RawMessage, part: Part, *, source_limit: int) -> str:
    """Of any part that holds no others, the characters of its body; of at most source_limit octets of it."""
    data = raw[part.body_start : min(part.body_end, part.body_start + source_limit)]
    is_cut = len(data) < part.octets
    encoding = encoding_of(part.encoding)
    if is_cut and encoding is TransferEncoding.QUOTED_PRINTABLE:
        # An escape has three octets, the last of which may be cut off.
        data = data[: data.rfind(b"=", -2)] if b"=" in data[-2:] else data
    charset = parameter(part.parameters, b"charset") or ""
    octets = decode_transfer(data, encoding)
    return decode_beginning(octets, charset) if is_cut else decode(octets, charset)
