"""RENAME. RFC 9051 §6.3.6."""

from dataclasses import dataclass

from mailstack.wire.imap.tokens import Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class Rename:
    mailbox: str
    new_name: str


def parse(cursor: Cursor) -> Rename:
    cursor.space()
    mailbox = cursor.mailbox()
    cursor.space()
    new_name = cursor.mailbox()
    cursor.end()
    return Rename(mailbox=mailbox, new_name=new_name)
