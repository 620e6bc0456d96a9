"""DELETESCRIPT. RFC 5804 §2.10."""

from dataclasses import dataclass

from mailstack.wire.managesieve.tokens import Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteScript:
    name: str


def parse(cursor: Cursor) -> DeleteScript:
    cursor.space()
    name = cursor.script_name()
    cursor.end()
    return DeleteScript(name=name)
