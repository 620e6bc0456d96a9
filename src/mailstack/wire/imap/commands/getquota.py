"""GETQUOTA. RFC 9208 §4.1.1."""

from dataclasses import dataclass

from mailstack.wire.imap.tokens import Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class GetQuota:
    root: str


def parse(cursor: Cursor) -> GetQuota:
    """quota-root-name = astring"""
    cursor.space()
    root = cursor.text(cursor.astring())
    cursor.end()
    return GetQuota(root=root)
