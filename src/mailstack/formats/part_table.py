"""The packed part table that is stored with a message: where each part's header and body lie, and how it is encoded.

Sixteen octets a part, parents before children, behind one octet for the version. Reading BODY[2.1] needs it and no
second scan.
"""

import struct
from enum import IntEnum
from typing import NamedTuple

from mailstack.formats.limits import LIMITS
from mailstack.formats.mime import Part
from mailstack.model.errors import Damaged


class PartKind(IntEnum):
    LEAF = 0
    MULTIPART = 1
    MESSAGE = 2  # its one child is the message it holds


class TransferEncoding(IntEnum):
    """RFC 2045 §6.1. UNKNOWN: a token that nobody here can decode."""

    IDENTITY = 0
    QUOTED_PRINTABLE = 1
    BASE64 = 2
    UNKNOWN = 3


class PartRange(NamedTuple):
    """Offsets into the message: header [header_start, body_start), body [body_start, body_end)."""

    kind: PartKind
    encoding: TransferEncoding
    header_start: int
    body_start: int
    body_end: int
    children: "tuple[PartRange, ...]"


_VERSION = b"\x01"
_ROW = struct.Struct("<BBHIII")
_ENCODINGS = {
    b"7bit": TransferEncoding.IDENTITY,
    b"8bit": TransferEncoding.IDENTITY,
    b"binary": TransferEncoding.IDENTITY,
    b"quoted-printable": TransferEncoding.QUOTED_PRINTABLE,
    b"base64": TransferEncoding.BASE64,
}


def encoding_of(token: bytes) -> TransferEncoding:
    """token: lower-case, as Part.encoding."""
    return _ENCODINGS.get(token, TransferEncoding.UNKNOWN)


def pack(root: Part) -> bytes:
    rows = [_VERSION]
    _pack(root, rows)
    return b"".join(rows)


def unpack(table: bytes) -> PartRange:
    """The root. Raises Damaged."""
    if table[:1] != _VERSION:
        raise Damaged("a part table of an unknown version")
    try:
        root, end = _unpack(table, 1, LIMITS.depth + 1)
    except (struct.error, ValueError) as fault:
        raise Damaged(f"a part table cannot be read: {fault}") from fault
    if end != len(table):
        raise Damaged("a part table has rows to spare")
    return root


def _pack(part: Part, rows: list[bytes]) -> None:
    kind = PartKind.MULTIPART if part.is_multipart else PartKind.MESSAGE if part.is_message else PartKind.LEAF
    encoding = encoding_of(part.encoding)
    rows.append(_ROW.pack(kind, encoding, len(part.children), part.header_start, part.body_start, part.body_end))
    for child in part.children:
        _pack(child, rows)


def _unpack(table: bytes, at: int, depth_left: int) -> tuple[PartRange, int]:
    kind, encoding, count, header_start, body_start, body_end = _ROW.unpack_from(table, at)
    if depth_left < 0:
        raise ValueError("too deep")
    at += _ROW.size
    children: list[PartRange] = []
    for _ in range(count):
        child, at = _unpack(table, at, depth_left - 1)
        children.append(child)
    part = PartRange(PartKind(kind), TransferEncoding(encoding), header_start, body_start, body_end, tuple(children))
    return part, at
