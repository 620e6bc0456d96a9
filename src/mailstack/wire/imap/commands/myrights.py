"""MYRIGHTS. RFC 4314 §3.5."""

from dataclasses import dataclass

from mailstack.wire.imap.tokens import Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class MyRights:
    mailbox: str


def parse(cursor: Cursor) -> MyRights:
    cursor.space()
    mailbox = cursor.mailbox()
    cursor.end()
    return MyRights(mailbox=mailbox)
