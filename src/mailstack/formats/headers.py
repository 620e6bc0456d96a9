"""Header sections: where they end, their fields with byte ranges, and taking out or putting in front whole fields.

Not the meaning of any field (dates, addresses, words, mediatype). Hostile input never raises; lines that are no
field are passed over. Bare LF is read as a line end, since odd messages do get stored. RFC 5322 §2.2, §3.6.8.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from mailstack.formats.limits import LIMITS, Limits
from mailstack.model.message import RawMessage


class Field(NamedTuple):
    """A tuple, for each message has dozens. name: lower-case. value: as written after the colon, still folded.

    start, end: the range in the message, the closing line break included.
    """

    name: bytes
    value: bytes
    start: int
    end: int


# RFC 5322 §3.6.8: field-name = 1*ftext, ftext = %d33-57 / %d59-126; §4.5.8: white space before the colon is obsolete.
# RFC 5322 §2.2.3: a line that begins with white space continues the field.
# name, colon, value; or else a line that is no field. Every octet is in one of them, but for the last line break.
_FIELD = re.compile(rb"([!-9;-~]++)([ \t]*+:)([^\n]*+(?:\n[ \t][^\n]*+)*+)\n?|([^\n]*+)\n?")
_EMPTY_FIRST = re.compile(rb"\r?\n")
_EMPTY_LINE = re.compile(rb"\n\r?\n")
_MANY_LINES = 200


def header_end(raw: RawMessage, start: int = 0, end: int | None = None) -> int:
    """Where the body begins: past the first empty line of [start, end); `end` when there is none."""
    stop = len(raw) if end is None else end
    found = _EMPTY_FIRST.match(raw, start, stop) or _EMPTY_LINE.search(raw, start, stop)
    return found.end() if found else stop


def scan_fields(raw: RawMessage, start: int = 0, end: int | None = None, *, limits: Limits = LIMITS) -> list[Field]:
    """The fields of the header section [start, end), in order; end: None means header_end."""
    stop = header_end(raw, start) if end is None else end
    block = raw[start : min(stop, start + limits.header)]
    fields: list[Field] = []
    at = start
    # All lines at once cost half as much as one by one, and of a hostile header too much room.
    for name, colon, value, other in _FIELD.findall(block) if block.count(b"\n") < _MANY_LINES else _one_by_one(block):
        begin = at
        at += len(name) + len(colon) + len(value) + len(other) + 1
        if name:
            # As Field(…) makes it, without the detour through Python: this is done for every field of every message.
            fields.append(tuple.__new__(Field, (name.lower(), value, begin, at)))
            if len(fields) >= limits.header_fields:
                break
    if fields and fields[-1].end > start + len(block):
        fields[-1] = fields[-1]._replace(end=start + len(block))
    return fields


def _one_by_one(block: bytes) -> Iterator[tuple[bytes, bytes, bytes, bytes]]:
    return (found.groups(b"") for found in _FIELD.finditer(block))  # type: ignore[misc]  # its four groups


def unfold(value: bytes) -> bytes:
    """RFC 5322 §2.2.3, with the white space around the value taken off."""
    if b"\n" in value:
        value = value.replace(b"\r\n", b"").replace(b"\n", b"")
    return value.strip(b" \t\r")


def first(fields: Sequence[Field], name: bytes) -> bytes | None:
    """The unfolded value of the first field of that name (lower-case); None where there is none."""
    for field in fields:
        if field.name == name:
            return unfold(field.value)
    return None


def every(fields: Sequence[Field], name: bytes) -> list[bytes]:
    """The unfolded values of all fields of that name (lower-case), in order."""
    return [unfold(field.value) for field in fields if field.name == name]


def kept_header(raw: RawMessage, names: Collection[bytes]) -> bytes:
    """The header section, its closing empty line included, without the fields of these names (lower-case).

    For whoever writes a large message on: the body follows at header_end(raw).
    """
    end = header_end(raw)
    kept = []
    at = 0
    for field in scan_fields(raw, 0, end):
        if field.name in names:
            kept.append(raw[at : field.start])
            at = field.end
    kept.append(raw[at:end])
    return b"".join(kept)


def remove_fields(raw: RawMessage, names: Collection[bytes]) -> bytes:
    """The message without the fields of these names (lower-case)."""
    return kept_header(raw, names) + raw[header_end(raw) :]


def prepend(raw: RawMessage, fields: bytes) -> bytes:
    """The message with whole fields on top, as formats.compose makes them: each ends in CRLF."""
    return fields + raw[:]
