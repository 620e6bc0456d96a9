"""SETQUOTA. RFC 9208 §4.1.3."""

from dataclasses import dataclass

from mailstack.wire.imap.faults import SyntaxProblem
from mailstack.wire.imap.tokens import MAX_NUMBER64, Cursor

MAX_RESOURCES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class SetQuota:
    """limits: resource names in upper case, and what they should be."""

    root: str
    limits: tuple[tuple[str, int], ...]


def parse(cursor: Cursor) -> SetQuota:
    """setquota = "SETQUOTA" SP quota-root-name SP "(" [setquota-resource *(SP setquota-resource)] ")" """
    cursor.space()
    root = cursor.text(cursor.astring())
    cursor.space()
    cursor.require(b"(")
    limits: list[tuple[str, int]] = []
    while not cursor.skip(b")"):
        if limits:
            cursor.space()
        name = cursor.word()
        cursor.space()
        limits.append((name, cursor.number(largest=MAX_NUMBER64)))
        if len(limits) > MAX_RESOURCES:
            raise SyntaxProblem("too many resources")
    cursor.end()
    return SetQuota(root=root, limits=tuple(limits))
