"""LSUB. RFC 3501 §6.3.9; RFC 9051 did away with it."""

from dataclasses import dataclass

from mailstack.wire.imap.tokens import Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class Lsub:
    """As a basic LIST, over what is subscribed to."""

    reference: str
    pattern: str


def parse(cursor: Cursor) -> Lsub:
    cursor.space()
    reference = cursor.mailbox()
    cursor.space()
    pattern = cursor.list_mailbox()
    cursor.end()
    return Lsub(reference=reference, pattern=pattern)
