"""GETJMAPACCESS. RFC 9698 §3."""

from dataclasses import dataclass

from mailstack.wire.imap.tokens import Cursor


@dataclass(frozen=True, slots=True)
class GetJmapAccess: ...


def parse(cursor: Cursor) -> GetJmapAccess:
    cursor.end()
    return GetJmapAccess()
