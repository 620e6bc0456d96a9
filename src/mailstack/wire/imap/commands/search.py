"""SEARCH and UID SEARCH, into the query tree that every protocol shares. RFC 3501 §6.4.4, RFC 9051 §6.4.4."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mailstack.model.flags import ANSWERED, DRAFT, FLAGGED, SEEN
from mailstack.model.query import (
    And,
    Contains,
    DayRange,
    Everything,
    HasKeyword,
    HeaderContains,
    InSequence,
    InUids,
    IsDeleted,
    Not,
    Or,
    Query,
    SizeRange,
    TextField,
    TimeField,
)
from mailstack.wire.imap.dates import search_date
from mailstack.wire.imap.faults import RefusedProblem, SyntaxProblem
from mailstack.wire.imap.flags import keyword
from mailstack.wire.imap.sets import sequence_set
from mailstack.wire.imap.tokens import MAX_NUMBER64, Cursor

_CHARSETS = (b"US-ASCII", b"UTF-8")
_NOTHING = Not(Everything())
MAX_KEYS = 200
"""Each is asked of each message: programs that know what they look for ask for a dozen at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """wants_uids: answer in UIDs. Numbers in the query are InSequence or InUids whatever is answered."""

    query: Query
    wants_uids: bool


def parse(cursor: Cursor) -> Search:
    return Search(query=_program(cursor), wants_uids=False)


def parse_uid(cursor: Cursor) -> Search:
    return Search(query=_program(cursor), wants_uids=True)


def _program(cursor: Cursor) -> Query:
    """search = "SEARCH" [SP "CHARSET" SP astring] 1*(SP search-key)"""
    cursor.space()
    if cursor.skip_word(b"CHARSET"):
        cursor.space()
        if cursor.astring().upper() not in _CHARSETS:
            # RFC 9051 §6.4.4: the two that every server must know
            raise RefusedProblem(f"BADCHARSET ({' '.join(name.decode() for name in _CHARSETS)})", "unknown charset")
        cursor.space()
    query = _keys(cursor)
    cursor.end()
    if _count(query) > MAX_KEYS:
        raise SyntaxProblem("too many search keys")
    return query


def _count(query: Query) -> int:
    match query:
        case And(terms) | Or(terms):
            return sum(map(_count, terms))
        case Not(term):
            return _count(term)
        case _:
            return 1


def _keys(cursor: Cursor) -> Query:
    """One or more keys, all of which must match."""
    terms = [_key(cursor)]
    while cursor.skip(b" "):
        terms.append(_key(cursor))
    return terms[0] if len(terms) == 1 else And(tuple(terms))


def _key(cursor: Cursor) -> Query:
    if cursor.is_next(b"0123456789*"):
        return InSequence(sequence_set(cursor))
    if cursor.skip(b"("):
        cursor.descend()
        inner = _keys(cursor)
        cursor.ascend()
        cursor.require(b")")
        return inner
    word = cursor.word()
    fixed = _FIXED.get(word)
    if fixed is not None:
        return fixed
    parser = _WITH_ARGUMENTS.get(word)
    if parser is None:
        raise SyntaxProblem("no such search key")
    cursor.space()
    return parser(cursor)


def _not(cursor: Cursor) -> Query:
    cursor.descend()
    term = _key(cursor)
    cursor.ascend()
    return Not(term)


def _or(cursor: Cursor) -> Query:
    cursor.descend()
    first = _key(cursor)
    cursor.space()
    second = _key(cursor)
    cursor.ascend()
    return Or((first, second))


def _header(cursor: Cursor) -> Query:
    name = cursor.text(cursor.astring())
    cursor.space()
    return HeaderContains(name=name, needle=cursor.text(cursor.astring()))


def _contains(field: TextField) -> Callable[[Cursor], Query]:
    return lambda cursor: Contains(field=field, needle=cursor.text(cursor.astring()))


def _before(field: TimeField) -> Callable[[Cursor], Query]:
    return lambda cursor: DayRange(field=field, first=None, last=search_date(cursor))


def _since(field: TimeField) -> Callable[[Cursor], Query]:
    return lambda cursor: DayRange(field=field, first=search_date(cursor), last=None)


def _on(field: TimeField) -> Callable[[Cursor], Query]:
    def parse_day(cursor: Cursor) -> Query:
        day = search_date(cursor)
        return DayRange(field=field, first=day, last=day + 1)

    return parse_day


_FIXED: Mapping[str, Query] = {
    "ALL": Everything(),
    "ANSWERED": HasKeyword(ANSWERED),
    "DELETED": IsDeleted(),
    "DRAFT": HasKeyword(DRAFT),
    "FLAGGED": HasKeyword(FLAGGED),
    "SEEN": HasKeyword(SEEN),
    "UNANSWERED": Not(HasKeyword(ANSWERED)),
    "UNDELETED": Not(IsDeleted()),
    "UNDRAFT": Not(HasKeyword(DRAFT)),
    "UNFLAGGED": Not(HasKeyword(FLAGGED)),
    "UNSEEN": Not(HasKeyword(SEEN)),
    # RFC 3501 §2.3.2: \Recent. We give it to no message, as RFC 9051 does away with it.
    "NEW": _NOTHING,
    "OLD": Everything(),
    "RECENT": _NOTHING,
}
_WITH_ARGUMENTS: Mapping[str, Callable[[Cursor], Query]] = {
    "BCC": _contains(TextField.BCC),
    "BODY": _contains(TextField.BODY),
    "CC": _contains(TextField.CC),
    "FROM": _contains(TextField.FROM),
    "SUBJECT": _contains(TextField.SUBJECT),
    "TEXT": _contains(TextField.TEXT),
    "TO": _contains(TextField.TO),
    "BEFORE": _before(TimeField.RECEIVED),
    "ON": _on(TimeField.RECEIVED),
    "SINCE": _since(TimeField.RECEIVED),
    "SENTBEFORE": _before(TimeField.SENT),
    "SENTON": _on(TimeField.SENT),
    "SENTSINCE": _since(TimeField.SENT),
    "HEADER": _header,
    "KEYWORD": lambda cursor: HasKeyword(keyword(cursor)),
    "UNKEYWORD": lambda cursor: Not(HasKeyword(keyword(cursor))),
    "LARGER": lambda cursor: SizeRange(larger=cursor.number(largest=MAX_NUMBER64), smaller=None),
    "SMALLER": lambda cursor: SizeRange(larger=None, smaller=cursor.number(largest=MAX_NUMBER64)),
    "UID": lambda cursor: InUids(sequence_set(cursor)),
    "NOT": _not,
    "OR": _or,
}
