"""AUTHENTICATE. RFC 9051 §6.2.2; with an initial response, RFC 4959 (SASL-IR)."""

import re
from dataclasses import dataclass

from mailstack.wire.imap.tokens import Cursor

_BASE64 = re.compile(rb"[A-Za-z0-9+/=]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Authenticate:
    """initial: still base64, `=` for an empty one; None when the client sent none."""

    mechanism: str
    initial: bytes | None

    def __repr__(self) -> str:
        return f"Authenticate(mechanism={self.mechanism!r})"


def parse(cursor: Cursor) -> Authenticate:
    cursor.space()
    mechanism = cursor.word()
    initial = None
    if cursor.skip(b" "):
        found = cursor.match(_BASE64)
        initial = found.group() if found else b""
    cursor.end()
    return Authenticate(mechanism=mechanism, initial=initial)
