"""EXAMINE. RFC 3501 §6.3.2, RFC 9051 §6.3.3."""

from dataclasses import dataclass

from mailstack.wire.imap.commands.select import NO_PARAMETERS, Parameters, parameters
from mailstack.wire.imap.tokens import Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class Examine:
    mailbox: str
    parameters: Parameters = NO_PARAMETERS


def parse(cursor: Cursor) -> Examine:
    cursor.space()
    return Examine(mailbox=cursor.mailbox(), parameters=parameters(cursor))
