"""SETMETADATA. RFC 5464 §4.3."""

from dataclasses import dataclass

from mailstack.wire.imap.commands.getmetadata import MAX_ENTRIES, entry
from mailstack.wire.imap.faults import SyntaxProblem
from mailstack.wire.imap.tokens import Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class SetMetadata:
    """mailbox: "" for the server's entries. entries: lower-case names; None removes."""

    mailbox: str
    entries: tuple[tuple[str, bytes | None], ...]


def parse(cursor: Cursor) -> SetMetadata:
    """entry-values = "(" entry-value *(SP entry-value) ")" """
    cursor.space()
    mailbox = cursor.mailbox()
    cursor.space()
    cursor.require(b"(")
    entries = [_entry_value(cursor)]
    while cursor.skip(b" "):
        entries.append(_entry_value(cursor))
        if len(entries) > MAX_ENTRIES:
            raise SyntaxProblem("too many entries")
    cursor.require(b")")
    cursor.end()
    return SetMetadata(mailbox=mailbox, entries=tuple(dict(entries).items()))


def _entry_value(cursor: Cursor) -> tuple[str, bytes | None]:
    """entry-value = entry SP value; value = nstring / literal8"""
    name = entry(cursor)
    cursor.space()
    return name, None if cursor.skip_word(b"NIL") else cursor.string8()
