"""CHECKSCRIPT. RFC 5804 §2.12."""

from dataclasses import dataclass

from mailstack.wire.managesieve.tokens import Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckScript:
    content: bytes


def parse(cursor: Cursor) -> CheckScript:
    cursor.space()
    content = cursor.string()
    cursor.end()
    return CheckScript(content=content)
