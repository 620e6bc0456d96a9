"""UNSELECT. RFC 3691, RFC 9051 §6.4.2."""

from dataclasses import dataclass

from mailstack.wire.imap.tokens import Cursor


@dataclass(frozen=True, slots=True)
class Unselect: ...


def parse(cursor: Cursor) -> Unselect:
    cursor.end()
    return Unselect()
