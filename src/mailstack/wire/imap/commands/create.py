"""CREATE. RFC 9051 §6.3.4."""

from dataclasses import dataclass

from mailstack.wire.imap.tokens import Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class Create:
    mailbox: str


def parse(cursor: Cursor) -> Create:
    cursor.space()
    mailbox = cursor.mailbox()
    cursor.end()
    return Create(mailbox=mailbox)
