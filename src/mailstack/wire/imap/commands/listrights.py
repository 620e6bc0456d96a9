"""LISTRIGHTS. RFC 4314 §3.4."""

from dataclasses import dataclass

from mailstack.wire.imap.commands.deleteacl import identifier
from mailstack.wire.imap.tokens import Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRights:
    mailbox: str
    identifier: str


def parse(cursor: Cursor) -> ListRights:
    cursor.space()
    mailbox = cursor.mailbox()
    cursor.space()
    whose = identifier(cursor)
    cursor.end()
    return ListRights(mailbox=mailbox, identifier=whose)
