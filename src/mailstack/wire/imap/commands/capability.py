"""CAPABILITY. RFC 9051 §6.1.1."""

from dataclasses import dataclass

from mailstack.wire.imap.tokens import Cursor


@dataclass(frozen=True, slots=True)
class Capability: ...


def parse(cursor: Cursor) -> Capability:
    cursor.end()
    return Capability()
