"""IDLE. RFC 2177, RFC 9051 §6.3.13. The DONE that ends it is the machine's."""

from dataclasses import dataclass

from mailstack.wire.imap.tokens import Cursor


@dataclass(frozen=True, slots=True)
class Idle: ...


def parse(cursor: Cursor) -> Idle:
    cursor.end()
    return Idle()
