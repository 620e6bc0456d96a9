"""CAPABILITY. RFC 5804 §2.4."""

from dataclasses import dataclass

from mailstack.wire.managesieve.tokens import Cursor


@dataclass(frozen=True, slots=True)
class Capability: ...


def parse(cursor: Cursor) -> Capability:
    cursor.end()
    return Capability()
