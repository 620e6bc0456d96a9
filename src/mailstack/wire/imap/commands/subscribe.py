"""SUBSCRIBE. RFC 9051 §6.3.7."""

from dataclasses import dataclass

from mailstack.wire.imap.tokens import Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribe:
    mailbox: str


def parse(cursor: Cursor) -> Subscribe:
    cursor.space()
    mailbox = cursor.mailbox()
    cursor.end()
    return Subscribe(mailbox=mailbox)
