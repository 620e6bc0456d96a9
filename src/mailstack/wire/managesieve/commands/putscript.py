"""PUTSCRIPT. RFC 5804 §2.6."""

from dataclasses import dataclass

from mailstack.wire.managesieve.tokens import Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class PutScript:
    name: str
    content: bytes


def parse(cursor: Cursor) -> PutScript:
    cursor.space()
    name = cursor.script_name()
    cursor.space()
    content = cursor.string()
    cursor.end()
    return PutScript(name=name, content=content)
