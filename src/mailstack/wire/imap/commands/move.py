"""MOVE and UID MOVE. RFC 6851 §3, RFC 9051 §6.4.8."""

from dataclasses import dataclass

from mailstack.wire.imap.commands import copy
from mailstack.wire.imap.commands.numbered import Numbered
from mailstack.wire.imap.tokens import Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    messages: Numbered
    mailbox: str


def parse(cursor: Cursor) -> Move:
    return _move(copy.parse(cursor))


def parse_uid(cursor: Cursor) -> Move:
    return _move(copy.parse_uid(cursor))


def _move(asked: copy.Copy) -> Move:
    # RFC 6851 §5: move = "MOVE" SP sequence-set SP mailbox, the shape of COPY
    return Move(messages=asked.messages, mailbox=asked.mailbox)
