"""UNAUTHENTICATE. RFC 8437 §3."""

from dataclasses import dataclass

from mailstack.wire.imap.tokens import Cursor


@dataclass(frozen=True, slots=True)
class Unauthenticate: ...


def parse(cursor: Cursor) -> Unauthenticate:
    cursor.end()
    return Unauthenticate()
