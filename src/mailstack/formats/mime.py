"""The MIME structure of a message as offsets into it: one scan, nothing copied but header sections, nothing decoded.

Boundaries of an outer multipart are found before those of the inner ones, so that an inner one can never run past the
end of an outer one (RFC 2046 §5.1.2). Depth, parts and candidates are bounded: what lies past a limit is not taken
apart. Never raises. RFC 2045, RFC 2046, RFC 2183, RFC 2231, RFC 3282, RFC 6532.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from mailstack.formats.headers import Field, header_end, scan_fields, unfold
from mailstack.formats.limits import LIMITS, Limits
from mailstack.formats.mediatype import Parameters, parse_disposition, parse_media_type
from mailstack.formats.octets import count_lines, find
from mailstack.formats.words import parameter
from mailstack.model.message import RawMessage

MAX_SCANNED_OCTETS = 2**32 - 1
"""Offsets are kept in 32 bits; RFC 3501 §4.3 cannot name longer literals either."""


CACHED_HEADER_OCTETS = 256
"""Most leaves have headers of a line or two, which millions of others have too."""


class Heading(NamedTuple):
    """What the header of an entity says of its body.

    type, subtype, encoding, disposition, language: lower-case. content_id … location: unfolded; None where absent.
    """

    type: bytes
    subtype: bytes
    parameters: Parameters
    encoding: bytes
    content_id: bytes | None
    description: bytes | None
    disposition: bytes | None
    disposition_parameters: Parameters
    language: tuple[bytes, ...]
    location: bytes | None
    md5: bytes | None


class Part(NamedTuple):
    """An entity: a message, or a part of one. Its header is [header_start, body_start), its body up to body_end.
    Tuples, because every message that comes is taken apart.

    lines: of the body, for text and embedded messages, else 0. fields: of the header.
    children: the parts of a multipart, at least one; or the one message embedded in a message/rfc822.
    """

    header_start: int
    body_start: int
    body_end: int
    heading: Heading
    lines: int
    fields: tuple[Field, ...]
    children: "tuple[Part, ...]"

    @property
    def type(self) -> bytes:
        return self.heading.type

    @property
    def subtype(self) -> bytes:
        return self.heading.subtype

    @property
    def parameters(self) -> Parameters:
        return self.heading.parameters

    @property
    def encoding(self) -> bytes:
        return self.heading.encoding

    @property
    def disposition(self) -> bytes | None:
        return self.heading.disposition

    @property
    def disposition_parameters(self) -> Parameters:
        return self.heading.disposition_parameters

    @property
    def is_multipart(self) -> bool:
        return self.heading.type == b"multipart"

    @property
    def is_message(self) -> bool:
        """Whether it holds another message, whose structure is known."""
        return bool(self.children) and self.heading.type == b"message"

    @property
    def octets(self) -> int:
        return self.body_end - self.body_start


def scan(raw: RawMessage, *, limits: Limits = LIMITS) -> Part:
    """The message itself, as the root of its parts."""
    return _Scan(raw, limits).entity(0, min(len(raw), MAX_SCANNED_OCTETS), 0, _TEXT_PLAIN)


_MediaType = tuple[bytes, bytes, Parameters]

# RFC 2045 §5.2: what has no Content-Type, or one that is none, is plain US-ASCII text.
_TEXT_PLAIN: _MediaType = (b"text", b"plain", ((b"charset", b"us-ascii"),))
# RFC 2046 §5.1.5: the parts of a digest are messages unless they say otherwise.
_RFC822: _MediaType = (b"message", b"rfc822", ())
_OPAQUE: _MediaType = (b"application", b"octet-stream", ())

# RFC 2046 §5.1.1: delimiter := CRLF "--" boundary, close-delimiter := delimiter "--", transport-padding := *LWSP-char.
# Deviates: the boundary must fill the line. §5.1.2 lets a line merely begin with it, and then boundary "a" would end a
# part of boundary "ab" inside it.
_DELIMITER_TAIL = re.compile(rb"(--)?+[ \t]*+(?:\r?+\n|\r?+\Z)")
# RFC 2045 §6.1: mechanism := a token; comments may follow it.
_TOKEN = re.compile(rb"[\s\"']*+([^\s;,(\"']++)")
_LANGUAGE_SEPARATOR = re.compile(rb"[\s,]+")
_NOT_ENCODED = frozenset({b"", b"7bit", b"8bit", b"binary", b"quoted-printable"})


class _Scan:
    """What one message may still cost."""

    def __init__(self, raw: RawMessage, limits: Limits) -> None:
        self._raw = raw
        self._limits = limits
        self._parts_left = limits.parts - 1
        self._candidates_left = limits.delimiter_candidates

    def entity(self, start: int, end: int, depth: int, default: _MediaType) -> Part:
        body_start = header_end(self._raw, start, end)
        heading, fields = self._header(start, body_start, default)
        children: tuple[Part, ...] = ()
        if heading.type == b"multipart":
            media_type, children = self._multipart(heading[:3], body_start, end, depth)
            heading = _of_type(heading, media_type)
        elif heading.type == b"message" and heading.subtype in (b"rfc822", b"global"):
            media_type, children = self._message(heading[:3], body_start, end, depth, heading.encoding)
            heading = _of_type(heading, media_type)
        has_lines = heading.type == b"text" or (heading.type == b"message" and bool(children))
        lines = count_lines(self._raw, body_start, end) if has_lines else 0
        return Part(start, body_start, end, heading, lines, fields, children)

    def _header(self, start: int, end: int, default: _MediaType) -> tuple[Heading, tuple[Field, ...]]:
        if end - start > CACHED_HEADER_OCTETS or self._limits is not LIMITS:
            fields = tuple(scan_fields(self._raw, start, end, limits=self._limits))
            return _heading(fields, default), fields
        heading, fields = _small_header(self._raw[start:end], default)
        return heading, tuple([Field(name, value, start + at, start + to) for name, value, at, to in fields])

    def _multipart(
        self, media_type: _MediaType, start: int, end: int, depth: int
    ) -> tuple[_MediaType, tuple[Part, ...]]:
        boundary = _boundary(media_type[2])
        if not boundary or len(boundary) > self._limits.boundary:
            # RFC 2046 §5.1.1: the boundary is required; without it the body is one piece, shown as text by everybody.
            return _TEXT_PLAIN, ()
        if depth >= self._limits.depth or self._parts_left <= 0:
            return _OPAQUE, ()
        default = _RFC822 if media_type[1] == b"digest" else _TEXT_PLAIN
        children: list[Part] = []
        for part_start, part_end in self._ranges(boundary, start, end):
            children.append(self.entity(part_start, part_end, depth + 1, default))
        if not children:
            # RFC 2046 §5.1.1 demands a part, and so does RFC 9051 §9 body-type-mpart: an empty one.
            children.append(self.entity(end, end, depth + 1, _TEXT_PLAIN))
        return media_type, tuple(children)

    def _message(
        self, media_type: _MediaType, start: int, end: int, depth: int, encoding: bytes
    ) -> tuple[_MediaType, tuple[Part, ...]]:
        # RFC 2046 §5.2.1: no encoding but 7bit, 8bit or binary is allowed; quoted-printable is a common false label.
        if encoding not in _NOT_ENCODED or depth >= self._limits.depth or self._parts_left <= 0:
            return _OPAQUE, ()
        self._parts_left -= 1
        return media_type, (self.entity(start, end, depth + 1, _TEXT_PLAIN),)

    def _ranges(self, boundary: bytes, start: int, end: int) -> list[tuple[int, int]]:
        """The parts between the delimiter lines of one multipart body."""
        ranges: list[tuple[int, int]] = []
        needle = b"\n--" + boundary
        part_start = -1
        # The line break before the first delimiter may be the one that ends the header.
        at = max(start - 1, 0)
        while (at := find(self._raw, needle, at, end)) >= 0:
            tail = _DELIMITER_TAIL.match(self._raw, at + len(needle), end)
            if tail is None:
                self._candidates_left -= 1
                if self._candidates_left <= 0:
                    break
                at += 1
                continue
            if part_start >= 0:
                # RFC 2046 §5.1.1: the line break before a delimiter belongs to it.
                stop = at - 1 if self._raw[at - 1 : at] == b"\r" else at
                ranges.append((part_start, max(stop, part_start)))
                self._parts_left -= 1
            part_start = tail.end()
            if tail[1] or self._parts_left <= 0:
                return ranges
            at = part_start - 1
        if part_start >= 0:
            # No closing delimiter: a truncated message, or an outer one that ended it.
            ranges.append((min(part_start, end), end))
            self._parts_left -= 1
        return ranges


@lru_cache(maxsize=1024)
def _small_header(section: bytes, default: _MediaType) -> tuple[Heading, tuple[Field, ...]]:
    fields = tuple(scan_fields(section, 0, len(section)))
    return _heading(fields, default), fields


def _heading(fields: tuple[Field, ...], default: _MediaType) -> Heading:
    # The first of several fields of one name counts.
    values = {field.name: field.value for field in reversed(fields) if field.name.startswith(b"content-")}
    return Heading(
        *_media_type(values, default),
        _token(values.get(b"content-transfer-encoding")) or b"7bit",
        _unfolded(values, b"content-id"),
        _unfolded(values, b"content-description"),
        *_disposition(values),
        _languages(values.get(b"content-language")),
        _unfolded(values, b"content-location"),
        _unfolded(values, b"content-md5"),
    )


def _of_type(heading: Heading, media_type: _MediaType) -> Heading:
    type_, subtype, parameters = media_type
    return heading._replace(type=type_, subtype=subtype, parameters=parameters)


def _media_type(values: Mapping[bytes, bytes], default: _MediaType) -> _MediaType:
    value = values.get(b"content-type")
    if value is None:
        return default
    return parse_media_type(unfold(value)) or _TEXT_PLAIN


def _disposition(values: Mapping[bytes, bytes]) -> tuple[bytes | None, Parameters]:
    value = values.get(b"content-disposition")
    return (None, ()) if value is None else parse_disposition(unfold(value)) or (None, ())


def _boundary(parameters: Parameters) -> bytes:
    plain = next((value for name, value in parameters if name == b"boundary"), None)
    if plain is None:
        # RFC 2231 §3, §4: it may come in pieces, and encoded, as any parameter.
        decoded = parameter(parameters, b"boundary") or ""
        plain = decoded.encode("ascii") if decoded.isascii() else b""
    # RFC 2046 §5.1.1: it does not end with white space; some add it.
    return plain.rstrip()


def _token(value: bytes | None) -> bytes:
    found = None if value is None else _TOKEN.match(value)
    return b"" if found is None else found[1].lower()


def _unfolded(values: Mapping[bytes, bytes], name: bytes) -> bytes | None:
    return unfold(values[name]) if name in values else None


def _languages(value: bytes | None) -> tuple[bytes, ...]:
    """RFC 3282 §2: a list of language tags."""
    if value is None:
        return ()
    return tuple(tag.lower() for tag in _LANGUAGE_SEPARATOR.split(unfold(value), 100) if tag)
