"""ESEARCH: a search in many mailboxes. RFC 7377 §2, §4."""

from dataclasses import dataclass

from mailstack.model.mailbox_filter import MailboxFilter, Reach
from mailstack.model.query import Query
from mailstack.wire.imap.commands.search import has_numbers
from mailstack.wire.imap.faults import SyntaxProblem
from mailstack.wire.imap.mailbox_filter import mailbox_filter
from mailstack.wire.imap.search_keys import search_program
from mailstack.wire.imap.search_returns import RETURN_ALL, ReturnItem, Returns, check_relevancy, search_returns
from mailstack.wire.imap.tokens import Cursor

# RFC 7377 §2.2: all of RFC 5465 §6 but selected-delayed
_SOURCES = frozenset(Reach) - {Reach.SELECTED_DELAYED}
SELECTED_ONLY: tuple[MailboxFilter, ...] = (MailboxFilter(Reach.SELECTED),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Esearch:
    """query: None when it is in a charset that is not known. The answer is in UIDs."""

    sources: tuple[MailboxFilter, ...]
    returns: Returns
    query: Query | None

    @property
    def uses_numbers(self) -> bool:
        """RFC 9586 §3, as in Search."""
        return has_numbers(self.query)

    @property
    def names_selected(self) -> bool:
        return any(source.reach is Reach.SELECTED for source in self.sources)


def parse(cursor: Cursor) -> Esearch:
    """esearch = "ESEARCH" [SP esearch-source-opts] [SP search-return-opts] SP search-program"""
    cursor.space()
    sources = SELECTED_ONLY
    if cursor.skip_word(b"IN"):
        sources = _sources(cursor)
        cursor.space()
    returns = search_returns(cursor)
    if returns is not None:
        cursor.space()
        if returns.saves and sources != SELECTED_ONLY:
            raise SyntaxProblem("SAVE is for the selected mailbox alone")  # RFC 7377 §2.2
    query = search_program(cursor)
    if query is not None and returns is not None and ReturnItem.RELEVANCY in returns.items:
        check_relevancy(query)
    return Esearch(sources=sources, returns=returns or RETURN_ALL, query=query)


def _sources(cursor: Cursor) -> tuple[MailboxFilter, ...]:
    """esearch-source-opts = "IN" SP "(" source-mbox [SP "(" scope-options ")"] ")"; no scope option is defined"""
    cursor.space()
    cursor.require(b"(")
    sources = [mailbox_filter(cursor, allowed=_SOURCES)]
    while cursor.skip(b" "):
        sources.append(mailbox_filter(cursor, allowed=_SOURCES))
        cursor.check_items(len(sources))
    cursor.require(b")")
    return tuple(dict.fromkeys(sources))
