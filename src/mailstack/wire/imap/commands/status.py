"""STATUS. RFC 3501 §6.3.10, RFC 9051 §6.3.11, and the items of RFC 7162, RFC 7889, RFC 8438, RFC 8474, RFC 9208."""

from dataclasses import dataclass
from enum import StrEnum

from mailstack.wire.imap.faults import SyntaxProblem
from mailstack.wire.imap.tokens import Cursor


class StatusItem(StrEnum):
    """status-att of RFC 3501 §9 and of all that extend it."""

    MESSAGES = "MESSAGES"
    RECENT = "RECENT"
    UIDNEXT = "UIDNEXT"
    UIDVALIDITY = "UIDVALIDITY"
    UNSEEN = "UNSEEN"
    DELETED = "DELETED"
    SIZE = "SIZE"
    HIGHESTMODSEQ = "HIGHESTMODSEQ"
    APPENDLIMIT = "APPENDLIMIT"
    MAILBOXID = "MAILBOXID"
    DELETED_STORAGE = "DELETED-STORAGE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """items: in the order asked, each once."""

    mailbox: str
    items: tuple[StatusItem, ...]


def parse(cursor: Cursor) -> Status:
    """status = "STATUS" SP mailbox SP "(" status-att *(SP status-att) ")" """
    cursor.space()
    mailbox = cursor.mailbox()
    cursor.space()
    items = status_items(cursor)
    cursor.end()
    return Status(mailbox=mailbox, items=items)


def status_items(cursor: Cursor) -> tuple[StatusItem, ...]:
    cursor.require(b"(")
    items = [_item(cursor)]
    while cursor.skip(b" "):
        items.append(_item(cursor))
    cursor.require(b")")
    return tuple(dict.fromkeys(items))


def _item(cursor: Cursor) -> StatusItem:
    try:
        return StatusItem(cursor.word())
    except ValueError:
        raise SyntaxProblem("no such status item") from None
