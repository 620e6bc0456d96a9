"""GETSCRIPT. RFC 5804 §2.9."""

from dataclasses import dataclass

from mailstack.wire.managesieve.tokens import Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class GetScript:
    name: str


def parse(cursor: Cursor) -> GetScript:
    cursor.space()
    name = cursor.script_name()
    cursor.end()
    return GetScript(name=name)
