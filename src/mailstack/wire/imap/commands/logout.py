"""LOGOUT. RFC 9051 §6.1.3."""

from dataclasses import dataclass

from mailstack.wire.imap.tokens import Cursor


@dataclass(frozen=True, slots=True)
class Logout: ...


def parse(cursor: Cursor) -> Logout:
    cursor.end()
    return Logout()
