"""STARTTLS. RFC 9051 §6.2.1."""

from dataclasses import dataclass

from mailstack.wire.imap.tokens import Cursor


@dataclass(frozen=True, slots=True)
class Starttls: ...


def parse(cursor: Cursor) -> Starttls:
    cursor.end()
    return Starttls()
