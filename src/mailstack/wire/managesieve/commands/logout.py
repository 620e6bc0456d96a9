"""LOGOUT. RFC 5804 §2.3."""

from dataclasses import dataclass

from mailstack.wire.managesieve.tokens import Cursor


@dataclass(frozen=True, slots=True)
class Logout: ...


def parse(cursor: Cursor) -> Logout:
    cursor.end()
    return Logout()
