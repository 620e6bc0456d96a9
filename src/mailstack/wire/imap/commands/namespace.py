"""NAMESPACE. RFC 2342 §5, RFC 9051 §6.3.10."""

from dataclasses import dataclass

from mailstack.wire.imap.tokens import Cursor


@dataclass(frozen=True, slots=True)
class Namespace: ...


def parse(cursor: Cursor) -> Namespace:
    cursor.end()
    return Namespace()
