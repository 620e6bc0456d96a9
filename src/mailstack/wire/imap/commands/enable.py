"""ENABLE. RFC 5161 §3.1, RFC 9051 §6.3.1."""

from dataclasses import dataclass

from mailstack.wire.imap.tokens import Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class Enable:
    """capabilities: upper case, known to us or not."""

    capabilities: tuple[str, ...]


def parse(cursor: Cursor) -> Enable:
    """enable = "ENABLE" 1*(SP capability)"""
    cursor.space()
    names = [cursor.word()]
    while cursor.skip(b" "):
        names.append(cursor.word())
    cursor.end()
    return Enable(capabilities=tuple(names))
