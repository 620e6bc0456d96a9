"""LIST. RFC 3501 §6.3.8; special uses are in its answers, RFC 6154 §2."""

from dataclasses import dataclass

from mailstack.wire.imap.tokens import Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class List:
    """Both decoded, the pattern with its wildcards. An empty pattern asks for the delimiter."""

    reference: str
    pattern: str


def parse(cursor: Cursor) -> List:
    cursor.space()
    reference = cursor.mailbox()
    cursor.space()
    pattern = cursor.list_mailbox()
    cursor.end()
    return List(reference=reference, pattern=pattern)
