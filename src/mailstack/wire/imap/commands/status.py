"""STATUS. RFC 3501 §6.3.10."""

from dataclasses import dataclass
from enum import StrEnum

from mailstack.wire.imap.faults import SyntaxProblem
from mailstack.wire.imap.tokens import Cursor


class StatusItem(StrEnum):
    """status-att of RFC 3501 §9."""

    MESSAGES = "MESSAGES"
    RECENT = "RECENT"
    UIDNEXT = "UIDNEXT"
    UIDVALIDITY = "UIDVALIDITY"
    UNSEEN = "UNSEEN"


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
    cursor.require(b"(")
    items = [_item(cursor)]
    while cursor.skip(b" "):
        items.append(_item(cursor))
    cursor.require(b")")
    cursor.end()
    return Status(mailbox=mailbox, items=tuple(dict.fromkeys(items)))


def _item(cursor: Cursor) -> StatusItem:
    try:
        return StatusItem(cursor.word())
    except ValueError:
        raise SyntaxProblem("no such status item") from None
