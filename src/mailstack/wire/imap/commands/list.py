"""LIST, basic and extended. RFC 3501 §6.3.8, RFC 5258 §6, RFC 9051 §6.3.9, RFC 5819 §4, RFC 8440 §5, RFC 9590 §6."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from mailstack.wire.imap.commands.getmetadata import entry
from mailstack.wire.imap.commands.status import StatusItem, status_items
from mailstack.wire.imap.faults import SyntaxProblem
from mailstack.wire.imap.tokens import Cursor

MAX_PATTERNS = 50

_T = TypeVar("_T")


class SelectionOption(StrEnum):
    """RFC 5258 §3.1, RFC 6154 §5.2."""

    SUBSCRIBED = "SUBSCRIBED"
    REMOTE = "REMOTE"
    RECURSIVEMATCH = "RECURSIVEMATCH"
    SPECIAL_USE = "SPECIAL-USE"


class ReturnOption(StrEnum):
    """RFC 5258 §3.2, RFC 6154 §5.2, RFC 8440 §3."""

    SUBSCRIBED = "SUBSCRIBED"
    CHILDREN = "CHILDREN"
    SPECIAL_USE = "SPECIAL-USE"
    MYRIGHTS = "MYRIGHTS"


@dataclass(frozen=True, slots=True, kw_only=True)
class List:
    """All decoded, patterns with their wildcards. An empty basic pattern asks for the delimiter.

    status_items and entries: what RETURN asks to be told of each mailbox, in STATUS and METADATA responses.
    """

    reference: str
    patterns: tuple[str, ...]
    is_extended: bool = False
    selection: frozenset[SelectionOption] = frozenset()
    returned: frozenset[ReturnOption] = frozenset()
    status_items: tuple[StatusItem, ...] = ()
    entries: tuple[str, ...] = ()


def parse(cursor: Cursor) -> List:
    """list = "LIST" [SP list-select-opts] SP mailbox SP mbox-or-pat [SP list-return-opts]"""
    cursor.space()
    is_extended = cursor.is_next(b"(")
    selection = frozenset[SelectionOption]()
    if is_extended:
        selection = frozenset(_listed(cursor, _selection_option))
        cursor.space()
    _check(selection)
    reference = cursor.mailbox()
    cursor.space()
    is_extended = is_extended or cursor.is_next(b"(")
    patterns = tuple(_listed(cursor, Cursor.list_mailbox)) if cursor.is_next(b"(") else (cursor.list_mailbox(),)
    asked = List(reference=reference, patterns=patterns, is_extended=is_extended, selection=selection)
    if cursor.skip(b" "):
        asked = _returning(cursor, asked)
    cursor.end()
    return asked


def _check(selection: frozenset[SelectionOption]) -> None:
    # RFC 5258 §3.1: RECURSIVEMATCH needs another option than REMOTE beside it.
    if SelectionOption.RECURSIVEMATCH in selection and not selection - {
        SelectionOption.RECURSIVEMATCH,
        SelectionOption.REMOTE,
    }:
        raise SyntaxProblem("RECURSIVEMATCH goes with another option")


def _returning(cursor: Cursor, asked: List) -> List:
    """list-return-opts = "RETURN" SP "(" [return-option *(SP return-option)] ")" """
    if not cursor.skip_word(b"RETURN"):
        raise SyntaxProblem("expected RETURN")
    cursor.space()
    found = _listed(cursor, _return_option)
    return List(
        reference=asked.reference,
        patterns=asked.patterns,
        is_extended=True,
        selection=asked.selection,
        returned=frozenset(option for option, _, _ in found if option is not None),
        status_items=tuple(dict.fromkeys(item for _, items, _ in found for item in items)),
        entries=tuple(dict.fromkeys(name for _, _, names in found for name in names)),
    )


def _listed(cursor: Cursor, read: Callable[[Cursor], _T]) -> list[_T]:
    """ "(" [item *(SP item)] ")" """
    cursor.require(b"(")
    found: list[_T] = []
    while not cursor.skip(b")"):
        if found:
            cursor.space()
        found.append(read(cursor))
        if len(found) > MAX_PATTERNS:
            raise SyntaxProblem("too many items")
    return found


def _selection_option(cursor: Cursor) -> SelectionOption:
    try:
        return SelectionOption(cursor.word())
    except ValueError:
        # RFC 5258 §3: a client must not use options that it was not offered.
        raise SyntaxProblem("no such selection option") from None


def _return_option(cursor: Cursor) -> tuple[ReturnOption | None, tuple[StatusItem, ...], tuple[str, ...]]:
    word = cursor.word()
    if word == "STATUS":
        cursor.space()
        return None, status_items(cursor), ()
    if word == "METADATA":
        cursor.space()
        return None, (), tuple(_listed(cursor, entry))
    try:
        return ReturnOption(word), (), ()
    except ValueError:
        raise SyntaxProblem("no such return option") from None
