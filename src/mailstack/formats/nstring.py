"""Strings as IMAP writes them inside ENVELOPE and BODYSTRUCTURE: quoted, or a literal, or NIL. RFC 9051 §4.3, §9."""

import re
from collections.abc import Iterable

# Line buffers of old clients end near a thousand octets.
_PLAIN = re.compile(rb"[^\x00\r\n\"\\\x80-\xff]{0,1000}+")
_QUOTABLE = re.compile(rb"[^\x00\r\n\x80-\xff]{0,1000}+")
_NEEDS_ESCAPE = re.compile(rb"([\"\\])")


def nstring(value: bytes | None) -> bytes:
    """RFC 9051 §9: nstring = string / nil. NUL octets are left out: neither form may hold them."""
    return b"NIL" if value is None else string(value)


def string(value: bytes) -> bytes:
    """Eight-bit octets go into a literal, which every client reads, whether it has enabled UTF-8 or not."""
    # Most are words like TEXT and UTF8, which are known for plain without an expression.
    if (value.isalnum() and len(value) <= 1000) or _PLAIN.fullmatch(value):
        return b'"' + value + b'"'
    value = value.replace(b"\x00", b"")
    if _QUOTABLE.fullmatch(value):
        return b'"' + _NEEDS_ESCAPE.sub(rb"\\\1", value) + b'"'
    return b"{%d}\r\n%b" % (len(value), value)


def parenthesized(items: Iterable[bytes]) -> bytes:
    return b"(%b)" % b" ".join(items)
