"""CHECK. RFC 3501 §6.4.1; RFC 9051 did away with it."""

from dataclasses import dataclass

from mailstack.wire.imap.tokens import Cursor


@dataclass(frozen=True, slots=True)
class Check: ...


def parse(cursor: Cursor) -> Check:
    cursor.end()
    return Check()
