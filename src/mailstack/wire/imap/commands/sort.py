"""SORT and UID SORT. RFC 5256 §3, RFC 5957 (DISPLAYFROM, DISPLAYTO), RFC 5267 §3 (RETURN), RFC 6203 §6 (RELEVANCY)."""

from dataclasses import dataclass

from mailstack.model.query import Query
from mailstack.model.sorting import SortField, SortKey
from mailstack.wire.imap.commands.search import has_numbers
from mailstack.wire.imap.faults import SyntaxProblem
from mailstack.wire.imap.search_keys import search_criteria
from mailstack.wire.imap.search_returns import ReturnItem, Returns, check_relevancy, search_returns
from mailstack.wire.imap.tokens import Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class Sort:
    """query: None when it is in a charset that is not known. wants_uids: answer in UIDs. returns: None: as RFC 5256."""

    keys: tuple[SortKey, ...]
    query: Query | None
    wants_uids: bool
    returns: Returns | None = None

    @property
    def uses_numbers(self) -> bool:
        """RFC 9586 §3, as in Search."""
        return not self.wants_uids or has_numbers(self.query)


def parse(cursor: Cursor) -> Sort:
    return _parse(cursor, wants_uids=False)


def parse_uid(cursor: Cursor) -> Sort:
    return _parse(cursor, wants_uids=True)


def _parse(cursor: Cursor, *, wants_uids: bool) -> Sort:
    """sort = "SORT" SP sort-criteria SP search-criteria; extended-sort has search-return-opts in front"""
    cursor.space()
    returns = search_returns(cursor)
    if returns is not None:
        cursor.space()
    keys = _criteria(cursor)
    cursor.space()
    query = search_criteria(cursor)
    is_by_relevancy = any(key.field is SortField.RELEVANCY for key in keys)
    if query is not None and (is_by_relevancy or (returns and ReturnItem.RELEVANCY in returns.items)):
        check_relevancy(query)
    return Sort(keys=keys, query=query, wants_uids=wants_uids, returns=returns)


def _criteria(cursor: Cursor) -> tuple[SortKey, ...]:
    """sort-criteria = "(" sort-criterion *(SP sort-criterion) ")" """
    cursor.require(b"(")
    keys: dict[SortField, SortKey] = {}
    while True:
        key = _criterion(cursor)
        # A field that was compared before cannot tell two messages apart any more.
        keys.setdefault(key.field, key)
        if not cursor.skip(b" "):
            break
    cursor.require(b")")
    return tuple(keys.values())


def _criterion(cursor: Cursor) -> SortKey:
    """sort-criterion = ["REVERSE" SP] sort-key"""
    word = cursor.word()
    is_reverse = word == "REVERSE"
    if is_reverse:
        cursor.space()
        word = cursor.word()
    try:
        return SortKey(SortField(word), is_reverse)
    except ValueError:
        raise SyntaxProblem("no such sort key") from None
