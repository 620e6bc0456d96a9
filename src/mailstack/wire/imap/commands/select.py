"""SELECT. RFC 3501 §6.3.1, RFC 9051 §6.3.2."""

from dataclasses import dataclass

from mailstack.wire.imap.tokens import Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class Select:
    mailbox: str


def parse(cursor: Cursor) -> Select:
    cursor.space()
    mailbox = cursor.mailbox()
    cursor.end()
    return Select(mailbox=mailbox)
