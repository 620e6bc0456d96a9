"""Flags as a client writes them. RFC 9051 §2.3.2 and §9: flag, flag-list, flag-keyword."""

import re

from mailstack.model.errors import Invalid
from mailstack.model.flags import canonical_flag
from mailstack.wire.imap.faults import SyntaxProblem
from mailstack.wire.imap.tokens import Cursor

_FLAG = re.compile(rb"\\?[^\x00-\x20\x7f-\xff(){%*\"\\\]]+")
_RECENT = b"\\recent"


def flag_list(cursor: Cursor) -> tuple[str, ...]:
    """flag-list = "(" [flag *(SP flag)] ")" """
    cursor.require(b"(")
    flags = () if cursor.is_next(b")") else bare_flags(cursor)
    cursor.require(b")")
    return flags


def bare_flags(cursor: Cursor) -> tuple[str, ...]:
    """flag *(SP flag), in canonical spelling, as given otherwise."""
    flags = list(_flag(cursor))
    while cursor.skip(b" "):
        flags += _flag(cursor)
    return tuple(flags)


def keyword(cursor: Cursor) -> str:
    """flag-keyword = "$…" / atom"""
    return _canonical(cursor.atom())


def _flag(cursor: Cursor) -> tuple[str, ...]:
    found = cursor.match(_FLAG)
    if found is None:
        raise SyntaxProblem("expected a flag")
    # Deviates: RFC 3501 §2.3.2 lets nobody set \Recent; clients that copy flags send it back, and mean no harm.
    return () if found.group().lower() == _RECENT else (_canonical(found.group()),)


def _canonical(flag: bytes) -> str:
    try:
        return canonical_flag(flag.decode("ascii"))
    except Invalid:
        raise SyntaxProblem("no such flag") from None
