"""STORE and UID STORE. RFC 9051 §6.4.6, RFC 7162 §3.1.3 (UNCHANGEDSINCE)."""

import re
from dataclasses import dataclass

from mailstack.model.ids import ModSeq
from mailstack.model.message import FlagOperation
from mailstack.wire.imap.commands.numbered import Numbered
from mailstack.wire.imap.faults import SyntaxProblem
from mailstack.wire.imap.flags import bare_flags, flag_list
from mailstack.wire.imap.sets import message_set
from mailstack.wire.imap.tokens import MAX_NUMBER64, Cursor

# store-att-flags = (["+" / "-"] "FLAGS" [".SILENT"]) SP (flag-list / (flag *(SP flag)))
_FLAGS_ITEM = re.compile(rb"([+-]?)FLAGS(\.SILENT)?(?= )", re.IGNORECASE)
_OPERATIONS = {b"": FlagOperation.SET, b"+": FlagOperation.ADD, b"-": FlagOperation.REMOVE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """unchanged_since: None: whatever happened to the message."""

    messages: Numbered
    operation: FlagOperation
    flags: tuple[str, ...]
    is_silent: bool
    unchanged_since: ModSeq | None = None


def parse(cursor: Cursor) -> Store:
    return _parse(cursor, is_uid=False)


def parse_uid(cursor: Cursor) -> Store:
    return _parse(cursor, is_uid=True)


def _parse(cursor: Cursor, *, is_uid: bool) -> Store:
    cursor.space()
    messages = Numbered(numbers=message_set(cursor), is_uid=is_uid)
    unchanged_since = _modifiers(cursor)
    cursor.space()
    item = cursor.match(_FLAGS_ITEM)
    if item is None:
        raise SyntaxProblem("expected FLAGS")
    cursor.space()
    flags = flag_list(cursor) if cursor.is_next(b"(") else bare_flags(cursor)
    cursor.end()
    return Store(
        messages=messages,
        operation=_OPERATIONS[item.group(1)],
        flags=flags,
        is_silent=item.group(2) is not None,
        unchanged_since=unchanged_since,
    )


def _modifiers(cursor: Cursor) -> ModSeq | None:
    """store-modifiers = SP "(" "UNCHANGEDSINCE" SP mod-sequence-valzer ")" """
    if not cursor.skip(b" ("):
        return None
    if not cursor.skip_word(b"UNCHANGEDSINCE"):
        raise SyntaxProblem("no such modifier")
    cursor.space()
    mod_seq = ModSeq(cursor.number(largest=MAX_NUMBER64))
    cursor.require(b")")
    return mod_seq
