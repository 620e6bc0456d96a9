"""UNAUTHENTICATE. RFC 5804 §2.14.1."""

from dataclasses import dataclass

from mailstack.wire.managesieve.tokens import Cursor


@dataclass(frozen=True, slots=True)
class Unauthenticate: ...


def parse(cursor: Cursor) -> Unauthenticate:
    cursor.end()
    return Unauthenticate()
