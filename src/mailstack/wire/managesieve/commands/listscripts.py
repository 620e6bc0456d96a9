"""LISTSCRIPTS. RFC 5804 §2.7."""

from dataclasses import dataclass

from mailstack.wire.managesieve.tokens import Cursor


@dataclass(frozen=True, slots=True)
class ListScripts: ...


def parse(cursor: Cursor) -> ListScripts:
    cursor.end()
    return ListScripts()
