"""MIME entities written: text as 7bit or quoted-printable, all else as base64, multiparts with boundaries of their own.

Not their reading (mime). RFC 2045, RFC 2046 §5.1, §5.2.1.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from mailstack.formats.binary import base64_lines, has_binary
from mailstack.formats.compose import write_field
from mailstack.formats.header_writing import write_parameter
from mailstack.formats.text_part import encode_text, is_7bit

_CRLF = b"\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """media_type: lower-case. parameters: without the charset of text that is a str, and without a boundary. fields:
    whole fields, all but Content-Type and Content-Transfer-Encoding. content: text with any line ends, octets, or the
    parts of a multipart.
    """

    media_type: str
    parameters: Sequence[tuple[str, str]] = ()
    fields: bytes = b""
    content: "str | bytes | Sequence[Entity]"


def write_entity(entity: Entity, *, token: str) -> bytes:
    """token: random letters and digits, for the boundaries. Raises Invalid for what no field can hold."""
    # RFC 2046 §5.1.1: no boundary may begin as another one does; none of these occurs in base64 or quoted-printable.
    return _written(entity, (f"=_{token}_{number}=" for number in count(1)))


def _written(entity: Entity, boundaries: Iterator[str]) -> bytes:
    parameters = list(entity.parameters)
    encoding = b""
    if isinstance(entity.content, str):
        lines = entity.content.replace("\r\n", "\n").replace("\n", "\r\n").encode("utf-8", "replace")
        encoding, charset, body = encode_text(lines)
        # RFC 2045 §5.2: it says nothing of other types, but which octets they are written in.
        if entity.media_type.startswith("text/") or charset != b"us-ascii":
            parameters.append(("charset", charset.decode("ascii")))
    elif isinstance(entity.content, bytes):
        encoding, body = _encoded(entity.media_type, entity.content)
    else:
        boundary = next(boundaries)
        parameters.append(("boundary", boundary))
        body = _multipart(entity.content, boundary.encode("ascii"), boundaries)
    head = write_field("Content-Type", entity.media_type + "".join(write_parameter(*pair) for pair in parameters))
    if encoding:
        head += b"Content-Transfer-Encoding: " + encoding + _CRLF
    return entity.fields + head + _CRLF + body


def _multipart(parts: Sequence[Entity], boundary: bytes, boundaries: Iterator[str]) -> bytes:
    written = (b"--" + boundary + _CRLF + _written(part, boundaries) + _CRLF for part in parts)
    return b"".join(written) + b"--" + boundary + b"--" + _CRLF


def _encoded(media_type: str, octets: bytes) -> tuple[bytes, bytes]:
    """Such that the same octets are read back."""
    if media_type.startswith("message/"):
        # RFC 2046 §5.2.1: nothing but 7bit, 8bit or binary.
        if octets.isascii() and not has_binary(octets):
            return b"7bit", octets
        return (b"binary" if has_binary(octets) else b"8bit"), octets
    if media_type.startswith("text/") and is_7bit(octets):
        return b"7bit", octets
    return b"base64", base64_lines(octets)
