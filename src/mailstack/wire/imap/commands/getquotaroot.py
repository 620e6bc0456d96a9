"""GETQUOTAROOT. RFC 9208 §4.1.2."""

from dataclasses import dataclass

from mailstack.wire.imap.tokens import Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class GetQuotaRoot:
    mailbox: str


def parse(cursor: Cursor) -> GetQuotaRoot:
    cursor.space()
    mailbox = cursor.mailbox()
    cursor.end()
    return GetQuotaRoot(mailbox=mailbox)
