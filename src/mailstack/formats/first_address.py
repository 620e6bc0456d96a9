"""The first address of a field, read off an ENVELOPE as it is stored: what messages are sorted by.

Not the parsing of address fields, which was done when the message came (formats.addresses). RFC 5256 §3, RFC 5957 §3.
"""

import re
from collections.abc import Mapping
from enum import Enum

from mailstack.formats.charsets import guess
from mailstack.formats.words import decode_words

# RFC 9051 §9: nstring, without literals; address = "(" addr-name SP addr-adl SP addr-mailbox SP addr-host ")"
_NSTRING = rb'(?:NIL|"(?:[^"\\]++|\\.)*+")'
_ADDRESS = rb"\(%b %b %b %b\)" % (_NSTRING, _NSTRING, _NSTRING, _NSTRING)
_LIST = rb"(?:NIL|\((?:%b)*+\))" % _ADDRESS
_LITERAL = re.compile(rb"\{([0-9]{1,10})\}\r\n")
_QUOTED_PAIR = re.compile(rb"\\(.)")


class AddressField(Enum):
    """value: how many address lists stand before it in an envelope."""

    FROM = 0
    TO = 3
    CC = 4


def _pattern(field: AddressField) -> re.Pattern[bytes]:
    before = rb"\(%b %b " % (_NSTRING, _NSTRING) + rb"%b " % _LIST * field.value
    return re.compile(
        before + rb"\(\((?P<name>%b) %b (?P<mailbox>%b) (?P<host>%b)\)" % (_NSTRING, _NSTRING, _NSTRING, _NSTRING)
    )


_PATTERNS: Mapping[AddressField, re.Pattern[bytes]] = {field: _pattern(field) for field in AddressField}


def first_mailbox(envelope: bytes | None, field: AddressField) -> str:
    """RFC 5256 §3: addr-mailbox of the first address; "" where there is none."""
    found = _found(envelope, field)
    return "" if found is None else guess(_unquoted(found["mailbox"]))


def first_display(envelope: bytes | None, field: AddressField) -> str:
    """RFC 5957 §3: its name, decoded; else mailbox@host; else its mailbox; else ""."""
    found = _found(envelope, field)
    if found is None:
        return ""
    name = _unquoted(found["name"])
    shown = decode_words(name) if b"=?" in name else guess(name)
    if shown:
        return shown
    mailbox, host = _unquoted(found["mailbox"]), _unquoted(found["host"])
    return guess(mailbox + b"@" + host if mailbox and host else mailbox)


def _found(envelope: bytes | None, field: AddressField) -> re.Match[bytes] | None:
    if envelope is None:
        return None
    if b"}\r\n" in envelope:
        envelope = _without_literals(envelope)
    return _PATTERNS[field].match(envelope)


def _without_literals(envelope: bytes) -> bytes:
    """Each `{n}` and what follows it as a quoted string."""
    pieces: list[bytes] = []
    at = 0
    # Outside of a literal no CR stands in an envelope: formats.nstring makes one of each string that has any.
    while (found := _LITERAL.search(envelope, at)) is not None:
        end = found.end() + int(found[1])
        text = envelope[found.end() : end].replace(b"\\", rb"\\").replace(b'"', rb"\"")
        pieces += (envelope[at : found.start()], b'"', text, b'"')
        at = end
    return b"".join((*pieces, envelope[at:]))


def _unquoted(nstring: bytes) -> bytes:
    if not nstring.startswith(b'"'):
        return b""
    inner = nstring[1:-1]
    return _QUOTED_PAIR.sub(rb"\1", inner) if b"\\" in inner else inner
