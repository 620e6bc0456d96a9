"""RETURN (…): what of a result a client wants to be told. RFC 9051 §6.4.4, RFC 4731 §3.1, RFC 5182 (SAVE),
RFC 6203 §4 (RELEVANCY), RFC 9394 §3.1 (PARTIAL), RFC 5267 §3 (with SORT).
"""

from dataclasses import dataclass
from enum import Enum

from mailstack.model.query import Fuzzy, Query, nodes
from mailstack.wire.imap.faults import SyntaxProblem
from mailstack.wire.imap.partial import PartialRange, partial_range
from mailstack.wire.imap.tokens import Cursor


class ReturnItem(Enum):
    MIN = "MIN"
    MAX = "MAX"
    ALL = "ALL"
    COUNT = "COUNT"
    RELEVANCY = "RELEVANCY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Returns:
    items: frozenset[ReturnItem]
    partial: PartialRange | None = None
    saves: bool = False

    @property
    def is_silent(self) -> bool:
        """RFC 5182 §1: SAVE alone suppresses the response."""
        return self.saves and not self.items and self.partial is None


RETURN_ALL = Returns(items=frozenset({ReturnItem.ALL}))


def search_returns(cursor: Cursor) -> Returns | None:
    """search-return-opts = "RETURN" SP "(" [search-return-opt *(SP search-return-opt)] ")"; None: there are none."""
    if not cursor.skip_word(b"RETURN"):
        return None
    cursor.space()
    cursor.require(b"(")
    words: set[str] = set()
    partial = None
    while not cursor.skip(b")"):
        if words:
            cursor.space()
        word = cursor.word()
        if word == "PARTIAL":
            if partial is not None:
                raise SyntaxProblem("PARTIAL stands twice")
            cursor.space()
            partial = partial_range(cursor)
        words.add(word)
    return _checked(words, partial)


def check_relevancy(query: Query) -> None:
    """RFC 6203 §4, §6: RELEVANCY must not be used unless a FUZZY search key is also given."""
    if not any(isinstance(node, Fuzzy) for node in nodes(query)):
        raise SyntaxProblem("RELEVANCY needs FUZZY")


def _checked(words: set[str], partial: PartialRange | None) -> Returns:
    if not words:
        return RETURN_ALL  # RFC 9051 §6.4.4: "()" is "(ALL)"
    if "PARTIAL" in words and "ALL" in words:
        raise SyntaxProblem("PARTIAL and ALL exclude each other")  # RFC 9394 §3.1
    try:
        items = frozenset(ReturnItem(word) for word in words - {"PARTIAL", "SAVE"})
    except ValueError:
        # RFC 9051 §6.4.4: options that are not known must be rejected.
        raise SyntaxProblem("no such result option") from None
    return Returns(items=items, partial=partial, saves="SAVE" in words)
