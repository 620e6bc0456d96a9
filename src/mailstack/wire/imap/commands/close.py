"""CLOSE. RFC 9051 §6.4.1."""

from dataclasses import dataclass

from mailstack.wire.imap.tokens import Cursor


@dataclass(frozen=True, slots=True)
class Close: ...


def parse(cursor: Cursor) -> Close:
    cursor.end()
    return Close()
