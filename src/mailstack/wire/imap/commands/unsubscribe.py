"""UNSUBSCRIBE. RFC 9051 §6.3.8."""

from dataclasses import dataclass

from mailstack.wire.imap.tokens import Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsubscribe:
    mailbox: str


def parse(cursor: Cursor) -> Unsubscribe:
    cursor.space()
    mailbox = cursor.mailbox()
    cursor.end()
    return Unsubscribe(mailbox=mailbox)
