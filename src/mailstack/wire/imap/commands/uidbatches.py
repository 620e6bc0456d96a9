"""UIDBATCHES: UID ranges that hold about as many messages each, newest first. RFC 10022."""

from dataclasses import dataclass

from mailstack.wire.imap.faults import SyntaxProblem
from mailstack.wire.imap.tokens import Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class UidBatches:
    """size: messages in each. first, last: which of the batches, from 1; last None: to the end."""

    size: int
    first: int = 1
    last: int | None = None


def parse(cursor: Cursor) -> UidBatches:
    """uidbatches = "UIDBATCHES" SP nz-number [SP nz-number ":" nz-number]"""
    cursor.space()
    size = cursor.nz_number()
    if not cursor.skip(b" "):
        cursor.end()
        return UidBatches(size=size)
    first = cursor.nz_number()
    cursor.require(b":")
    last = cursor.nz_number()
    cursor.end()
    if first > last:
        raise SyntaxProblem("the first batch comes before the last")
    return UidBatches(size=size, first=first, last=last)
