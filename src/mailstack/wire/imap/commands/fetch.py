"""FETCH and UID FETCH. RFC 3501 §6.4.5, RFC 9051 §6.4.5; the modifiers of RFC 7162 and RFC 9394.

What can be fetched is wire.imap.fetch_items'.
"""

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from mailstack.model.ids import ModSeq
from mailstack.wire.imap.commands.numbered import Numbered
from mailstack.wire.imap.faults import SyntaxProblem
from mailstack.wire.imap.fetch_items import Item, items
from mailstack.wire.imap.partial import PartialRange, partial_range
from mailstack.wire.imap.sets import message_set
from mailstack.wire.imap.tokens import MAX_NUMBER64, Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class Modifiers:
    """changed_since: RFC 7162 §3.1.4.1. wants_vanished: RFC 7162 §3.2.6. page: RFC 9394 §3.3. None: not asked for."""

    changed_since: ModSeq | None = None
    wants_vanished: bool = False
    page: PartialRange | None = None


NO_MODIFIERS = Modifiers()

# At most so much that no more items fit into it than the limits allow.
_REMEMBERED_OCTETS = 190
_SHORT_REST = re.compile(rb"(?=(.{1,%d}+)\Z)" % _REMEMBERED_OCTETS, re.DOTALL)
_REST = re.compile(rb".*+", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """items: in the order asked, each once."""

    messages: Numbered
    items: tuple[Item, ...]
    modifiers: Modifiers = NO_MODIFIERS


def parse(cursor: Cursor) -> Fetch:
    return _parse(cursor, is_uid=False)


def parse_uid(cursor: Cursor) -> Fetch:
    return _parse(cursor, is_uid=True)


def _parse(cursor: Cursor, *, is_uid: bool) -> Fetch:
    cursor.space()
    messages = Numbered(numbers=message_set(cursor), is_uid=is_uid)
    cursor.space()
    rest = cursor.match(_SHORT_REST)
    known = None if rest is None else _known(rest.group(1))
    if known is None:
        wanted, modifiers = _items_and_modifiers(cursor)
    else:
        wanted, modifiers = known
        cursor.match(_REST)
    cursor.end()
    if modifiers.wants_vanished and (modifiers.changed_since is None or not is_uid):
        # RFC 7162 §3.2.6: BAD without CHANGEDSINCE, and with FETCH by number
        raise SyntaxProblem("VANISHED needs UID FETCH and CHANGEDSINCE")
    if modifiers.page is not None and not is_uid:
        raise SyntaxProblem("PARTIAL needs UID FETCH")  # RFC 9394 §3.3
    return Fetch(messages=messages, items=wanted, modifiers=modifiers)


@lru_cache(maxsize=512)
def _known(rest: bytes) -> tuple[tuple[Item, ...], Modifiers] | None:
    """None: not the whole of a command, or nothing that can be fetched; then it is read in its place.

    A program asks for the same items all day, and reading a list of a dozen takes longer than answering it.
    """
    cursor = Cursor([rest], nesting=1, items=_REMEMBERED_OCTETS)
    try:
        found = _items_and_modifiers(cursor)
        cursor.end()
    except SyntaxProblem:
        return None
    return found


def _items_and_modifiers(cursor: Cursor) -> tuple[tuple[Item, ...], Modifiers]:
    return items(cursor), _modifiers(cursor) if cursor.skip(b" (") else NO_MODIFIERS


def _modifiers(cursor: Cursor) -> Modifiers:
    """RFC 4466 §2.4: fetch-modifiers = SP "(" fetch-modifier *(SP fetch-modifier) ")", here behind the parenthesis"""
    found: dict[str, Modifiers] = {}
    modifiers = NO_MODIFIERS
    while True:
        word = cursor.word()
        if word in found:
            raise SyntaxProblem("a modifier stands twice")
        modifiers = found[word] = _with_modifier(modifiers, word, cursor)
        if not cursor.skip(b" "):
            break
    cursor.require(b")")
    return modifiers


def _with_modifier(modifiers: Modifiers, word: str, cursor: Cursor) -> Modifiers:
    match word:
        case "CHANGEDSINCE":
            cursor.space()
            # RFC 7162 §7: mod-sequence-value; 0 is not one, and harmless: everything has changed since.
            return replace(modifiers, changed_since=ModSeq(cursor.number(largest=MAX_NUMBER64)))
        case "VANISHED":
            return replace(modifiers, wants_vanished=True)
        case "PARTIAL":
            cursor.space()
            return replace(modifiers, page=partial_range(cursor))
        case _:
            raise SyntaxProblem("no such modifier")
