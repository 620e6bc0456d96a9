"""Strings as IMAP writes them inside ENVELOPE and BODYSTRUCTURE: quoted, or a literal, or NIL. RFC 9051 §4.3, §9."""

import re
from collections.abc import Iterable

_NEEDS_LITERAL = re.compile(rb"[\r\n\x80-\xff]")
_NEEDS_ESCAPE = re.compile(rb"([\"\\])")
# Line buffers of old clients end near here.
_MAX_QUOTED_OCTETS = 1_000


def nstring(value: bytes | None) -> bytes:
    """RFC 9051 §9: nstring = string / nil. NUL octets are left out: neither form may hold them."""
    return b"NIL" if value is None else string(value)


def string(value: bytes) -> bytes:
    """Eight-bit octets go into a literal, which every client reads, whether it has enabled UTF-8 or not."""
    if b"\x00" in value:
        value = value.replace(b"\x00", b"")
    if len(value) > _MAX_QUOTED_OCTETS or _NEEDS_LITERAL.search(value):
        return b"{%d}\r\n%b" % (len(value), value)
    if b'"' in value or b"\\" in value:
        value = _NEEDS_ESCAPE.sub(rb"\\\1", value)
    return b'"%b"' % value


def parenthesized(items: Iterable[bytes]) -> bytes:
    return b"(%b)" % b" ".join(items)
