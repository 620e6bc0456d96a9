"""AUTHENTICATE. RFC 5804 §2.1."""

from dataclasses import dataclass

from mailstack.wire.managesieve.tokens import Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class Authenticate:
    """initial: still base64, empty for an empty one; None when the client sent none."""

    mechanism: str
    initial: bytes | None

    def __repr__(self) -> str:
        return f"Authenticate(mechanism={self.mechanism!r})"


def parse(cursor: Cursor) -> Authenticate:
    cursor.space()
    mechanism = cursor.text().upper()
    initial = cursor.string() if cursor.skip(b" ") else None
    cursor.end()
    return Authenticate(mechanism=mechanism, initial=initial)
