"""GETACL. RFC 4314 §3.3."""

from dataclasses import dataclass

from mailstack.wire.imap.tokens import Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class GetAcl:
    mailbox: str


def parse(cursor: Cursor) -> GetAcl:
    cursor.space()
    mailbox = cursor.mailbox()
    cursor.end()
    return GetAcl(mailbox=mailbox)
