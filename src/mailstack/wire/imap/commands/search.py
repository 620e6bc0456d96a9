"""SEARCH and UID SEARCH. RFC 9051 §6.4.4, RFC 3501 §6.4.4, RFC 4731."""

from dataclasses import dataclass

from mailstack.model.query import InSequence, Query, nodes
from mailstack.wire.imap.search_keys import search_program
from mailstack.wire.imap.search_returns import ReturnItem, Returns, check_relevancy, search_returns
from mailstack.wire.imap.tokens import Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """query: None when it is in a charset that is not known; numbers in it are InSequence or InUids whatever the answer
    has. wants_uids: answer in UIDs. returns: None: as RFC 3501 has it.
    """

    query: Query | None
    wants_uids: bool
    returns: Returns | None = None

    @property
    def uses_numbers(self) -> bool:
        """Of messages, in the question or the answer: RFC 9586 §3 forbids them once UIDONLY is enabled."""
        return not self.wants_uids or has_numbers(self.query)


def parse(cursor: Cursor) -> Search:
    return _parse(cursor, wants_uids=False)


def parse_uid(cursor: Cursor) -> Search:
    return _parse(cursor, wants_uids=True)


def has_numbers(query: Query | None) -> bool:
    return query is not None and any(isinstance(node, InSequence) for node in nodes(query))


def _parse(cursor: Cursor, *, wants_uids: bool) -> Search:
    """search = "SEARCH" [search-return-opts] SP search-program"""
    cursor.space()
    returns = search_returns(cursor)
    if returns is not None:
        cursor.space()
    query = search_program(cursor)
    if query is not None and returns is not None and ReturnItem.RELEVANCY in returns.items:
        check_relevancy(query)
    return Search(query=query, wants_uids=wants_uids, returns=returns)
