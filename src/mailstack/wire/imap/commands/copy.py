"""COPY and UID COPY. RFC 9051 §6.4.7."""

from dataclasses import dataclass

from mailstack.wire.imap.commands.numbered import Numbered
from mailstack.wire.imap.sets import message_set
from mailstack.wire.imap.tokens import Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    messages: Numbered
    mailbox: str


def parse(cursor: Cursor) -> Copy:
    return _parse(cursor, is_uid=False)


def parse_uid(cursor: Cursor) -> Copy:
    return _parse(cursor, is_uid=True)


def _parse(cursor: Cursor, *, is_uid: bool) -> Copy:
    cursor.space()
    messages = Numbered(numbers=message_set(cursor), is_uid=is_uid)
    cursor.space()
    mailbox = cursor.mailbox()
    cursor.end()
    return Copy(messages=messages, mailbox=mailbox)
