"""APPEND, up to its message: that comes as octets of its own, for it may be larger than what we like to hold.

RFC 9051 §6.3.12; UIDPLUS, RFC 4315 §3, is in the answer.
"""

from dataclasses import dataclass

from mailstack.model.instant import Instant
from mailstack.wire.imap.dates import date_time
from mailstack.wire.imap.flags import flag_list
from mailstack.wire.imap.tokens import Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class Append:
    """received_at: None when the client leaves it to us."""

    mailbox: str
    flags: tuple[str, ...]
    received_at: Instant | None
    size_octets: int


def parse_head(cursor: Cursor, size_octets: int) -> Append:
    """append = "APPEND" SP mailbox [SP flag-list] [SP date-time] SP literal; the literal is not under the cursor."""
    cursor.space()
    mailbox = cursor.mailbox()
    cursor.space()
    flags: tuple[str, ...] = ()
    if cursor.is_next(b"("):
        flags = flag_list(cursor)
        cursor.space()
    received_at = None
    if cursor.is_next(b'"'):
        received_at = date_time(cursor)
        cursor.space()
    cursor.end()
    return Append(mailbox=mailbox, flags=flags, received_at=received_at, size_octets=size_octets)
