"""DELETE. RFC 9051 §6.3.5."""

from dataclasses import dataclass

from mailstack.wire.imap.tokens import Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete:
    mailbox: str


def parse(cursor: Cursor) -> Delete:
    cursor.space()
    mailbox = cursor.mailbox()
    cursor.end()
    return Delete(mailbox=mailbox)
