"""FETCH and UID FETCH. RFC 3501 §6.4.5, RFC 9051 §6.4.5; the modifiers of RFC 7162 and RFC 9394.

What can be fetched is wire.imap.fetch_items'.
"""

from dataclasses import dataclass, replace

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
    wanted = items(cursor)
    modifiers = _modifiers(cursor) if cursor.skip(b" (") else NO_MODIFIERS
    cursor.end()
    if modifiers.wants_vanished and (modifiers.changed_since is None or not is_uid):
        # RFC 7162 §3.2.6: BAD without CHANGEDSINCE, and with FETCH by number
        raise SyntaxProblem("VANISHED needs UID FETCH and CHANGEDSINCE")
    if modifiers.page is not None and not is_uid:
        raise SyntaxProblem("PARTIAL needs UID FETCH")  # RFC 9394 §3.3
    return Fetch(messages=messages, items=wanted, modifiers=modifiers)


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
