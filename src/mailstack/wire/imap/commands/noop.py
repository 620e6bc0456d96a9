"""NOOP. RFC 9051 §6.1.2."""

from dataclasses import dataclass

from mailstack.wire.imap.tokens import Cursor


@dataclass(frozen=True, slots=True)
class Noop: ...


def parse(cursor: Cursor) -> Noop:
    cursor.end()
    return Noop()
