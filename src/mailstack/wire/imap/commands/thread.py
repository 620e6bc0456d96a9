"""THREAD and UID THREAD. RFC 5256 §3."""

from dataclasses import dataclass

from mailstack.model.query import Query
from mailstack.model.sorting import ThreadAlgorithm
from mailstack.wire.imap.commands.search import has_numbers
from mailstack.wire.imap.faults import SyntaxProblem
from mailstack.wire.imap.search_keys import search_criteria
from mailstack.wire.imap.tokens import Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """query: None when it is in a charset that is not known. wants_uids: answer in UIDs."""

    algorithm: ThreadAlgorithm
    query: Query | None
    wants_uids: bool

    @property
    def uses_numbers(self) -> bool:
        """RFC 9586 §3, as in Search."""
        return not self.wants_uids or has_numbers(self.query)


def parse(cursor: Cursor) -> Thread:
    return _parse(cursor, wants_uids=False)


def parse_uid(cursor: Cursor) -> Thread:
    return _parse(cursor, wants_uids=True)


def _parse(cursor: Cursor, *, wants_uids: bool) -> Thread:
    """thread = "THREAD" SP thread-alg SP search-criteria"""
    cursor.space()
    try:
        algorithm = ThreadAlgorithm(cursor.word())
    except ValueError:
        raise SyntaxProblem("no such threading algorithm") from None
    cursor.space()
    return Thread(algorithm=algorithm, query=search_criteria(cursor), wants_uids=wants_uids)
