"""RENAMESCRIPT. RFC 5804 §2.11."""

from dataclasses import dataclass

from mailstack.wire.managesieve.tokens import Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class RenameScript:
    name: str
    new_name: str


def parse(cursor: Cursor) -> RenameScript:
    cursor.space()
    name = cursor.script_name()
    cursor.space()
    new_name = cursor.script_name()
    cursor.end()
    return RenameScript(name=name, new_name=new_name)
