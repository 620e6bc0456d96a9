"""HAVESPACE. RFC 5804 §2.5."""

from dataclasses import dataclass

from mailstack.wire.managesieve.tokens import Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class HaveSpace:
    name: str
    size_octets: int


def parse(cursor: Cursor) -> HaveSpace:
    cursor.space()
    name = cursor.script_name()
    cursor.space()
    size_octets = cursor.number()
    cursor.end()
    return HaveSpace(name=name, size_octets=size_octets)
