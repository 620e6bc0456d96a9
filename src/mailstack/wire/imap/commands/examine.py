"""EXAMINE. RFC 3501 §6.3.2, RFC 9051 §6.3.3."""

from dataclasses import dataclass

from mailstack.wire.imap.tokens import Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class Examine:
    mailbox: str


def parse(cursor: Cursor) -> Examine:
    cursor.space()
    mailbox = cursor.mailbox()
    cursor.end()
    return Examine(mailbox=mailbox)
