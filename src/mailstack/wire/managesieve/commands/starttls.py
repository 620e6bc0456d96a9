"""STARTTLS. RFC 5804 §2.2."""

from dataclasses import dataclass

from mailstack.wire.managesieve.tokens import Cursor


@dataclass(frozen=True, slots=True)
class Starttls: ...


def parse(cursor: Cursor) -> Starttls:
    cursor.end()
    return Starttls()
