"""EXPUNGE and UID EXPUNGE. RFC 9051 §6.4.3, RFC 4315 §2.1."""

from dataclasses import dataclass

from mailstack.wire.imap.sets import MessageSet, message_set
from mailstack.wire.imap.tokens import Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class Expunge:
    """uids: None for all that are marked."""

    uids: MessageSet | None


def parse(cursor: Cursor) -> Expunge:
    cursor.end()
    return Expunge(uids=None)


def parse_uid(cursor: Cursor) -> Expunge:
    cursor.space()
    uids = message_set(cursor)
    cursor.end()
    return Expunge(uids=uids)
