"""SETACTIVE. RFC 5804 §2.8."""

from dataclasses import dataclass

from mailstack.wire.managesieve.tokens import Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class SetActive:
    """name: None: no script is to be active. On the wire that is the empty name."""

    name: str | None


def parse(cursor: Cursor) -> SetActive:
    cursor.space()
    name = cursor.text()
    cursor.end()
    return SetActive(name=name or None)
