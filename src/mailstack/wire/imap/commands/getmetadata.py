"""GETMETADATA, and the names of entries. RFC 5464 §4.2, §3.2."""

import re
from dataclasses import dataclass

from mailstack.wire.imap.faults import SyntaxProblem
from mailstack.wire.imap.tokens import Cursor

MAX_ENTRIES = 100
MAX_ENTRY_OCTETS = 512
INFINITE = 1_000
"""Deeper than any name that is taken."""

# RFC 5464 §3.2: no control characters, no "*" or "%", no "//", no "/" at the end.
_ENTRY = re.compile(rb"(?:/[^\x00-\x1f\x7f-\xff*%/]+)+")
_DEPTHS = {"0": 0, "1": 1, "INFINITY": INFINITE}


@dataclass(frozen=True, slots=True, kw_only=True)
class GetMetadata:
    """mailbox: "" for the server's entries. entries: lower-case. depth: how many levels below each.
    max_size: values longer than that are left out; None: none are.
    """

    mailbox: str
    entries: tuple[str, ...]
    depth: int = 0
    max_size: int | None = None


def parse(cursor: Cursor) -> GetMetadata:
    """getmetadata = "GETMETADATA" [SP getmetadata-options] SP mailbox SP entries"""
    cursor.space()
    options: dict[str, int] = {}
    if cursor.is_next(b"("):
        options = _options(cursor)
        cursor.space()
    mailbox = cursor.mailbox()
    cursor.space()
    entries: tuple[str, ...] = ()
    if cursor.skip(b"("):
        if cursor.is_next(b'/"'):
            entries = _entries(cursor)
        else:
            # RFC 5464 §4.2.1's own examples have the options here, and so have clients.
            options |= _rest_of_options(cursor)
            cursor.space()
    entries = entries or _some_entries(cursor)
    cursor.end()
    return GetMetadata(mailbox=mailbox, entries=entries, depth=options.get("DEPTH", 0), max_size=options.get("MAXSIZE"))


def entry(cursor: Cursor) -> str:
    """entry = astring; RFC 5464 §3.2: compared without regard to case."""
    name = cursor.astring()
    if len(name) > MAX_ENTRY_OCTETS or not _ENTRY.fullmatch(name):
        raise SyntaxProblem("no such entry")
    return name.decode("ascii").lower()


def _some_entries(cursor: Cursor) -> tuple[str, ...]:
    return _entries(cursor) if cursor.skip(b"(") else (entry(cursor),)


def _entries(cursor: Cursor) -> tuple[str, ...]:
    """entry *(SP entry) ")" """
    found = [entry(cursor)]
    while cursor.skip(b" "):
        found.append(entry(cursor))
        if len(found) > MAX_ENTRIES:
            raise SyntaxProblem("too many entries")
    cursor.require(b")")
    return tuple(dict.fromkeys(found))


def _options(cursor: Cursor) -> dict[str, int]:
    cursor.require(b"(")
    return _rest_of_options(cursor)


def _rest_of_options(cursor: Cursor) -> dict[str, int]:
    """getmetadata-options = "(" getmetadata-option *(SP getmetadata-option) ")" """
    found = dict([_option(cursor)])
    while cursor.skip(b" "):
        found |= [_option(cursor)]
    cursor.require(b")")
    return found


def _option(cursor: Cursor) -> tuple[str, int]:
    name = cursor.word()
    cursor.space()
    if name == "MAXSIZE":
        return name, cursor.number()
    if name == "DEPTH":
        depth = _DEPTHS.get(cursor.word())
        if depth is not None:
            return name, depth
    raise SyntaxProblem("no such option")
