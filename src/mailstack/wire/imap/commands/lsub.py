"""LSUB. RFC 3501 §6.3.9; RFC 9051 did away with it."""

from dataclasses import dataclass

from mailstack.wire.imap.commands import list as list_command
from mailstack.wire.imap.tokens import Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class Lsub:
    """As List, over what is subscribed to."""

    reference: str
    pattern: str


def parse(cursor: Cursor) -> Lsub:
    asked = list_command.parse(cursor)
    return Lsub(reference=asked.reference, pattern=asked.pattern)
