"""Search keys, into the query tree that every protocol shares: what SEARCH, SORT, THREAD and ESEARCH look for.

RFC 9051 §6.4.4, RFC 3501 §6.4.4, RFC 5032 (WITHIN), RFC 5182 ($), RFC 6203 (FUZZY), RFC 7162 §3.1.5 (MODSEQ),
RFC 8474 §6 (EMAILID, THREADID), RFC 8514 §4.3 (SAVEDATE), RFC 9738 §3.2 (UIDAFTER, UIDBEFORE).
"""

import re
from collections.abc import Callable, Mapping

from mailstack.model.flags import ANSWERED, DRAFT, FLAGGED, SEEN
from mailstack.model.ids import ModSeq
from mailstack.model.numset import NumSet
from mailstack.model.query import (
    AgeRange,
    And,
    Contains,
    DayRange,
    EmailIdIs,
    Everything,
    Fuzzy,
    HasKeyword,
    HeaderContains,
    InSequence,
    InUids,
    IsDeleted,
    ModSeqAtLeast,
    Not,
    Or,
    Query,
    SavedResult,
    SizeRange,
    TextField,
    ThreadIdIs,
    TimeField,
)
from mailstack.wire.imap.dates import search_date
from mailstack.wire.imap.faults import SyntaxProblem
from mailstack.wire.imap.flags import keyword
from mailstack.wire.imap.sets import message_set
from mailstack.wire.imap.tokens import MAX_NUMBER, MAX_NUMBER64, Cursor

CHARSETS = ("US-ASCII", "UTF-8")
"""RFC 9051 §6.4.4: the two that every server must know."""
MAX_KEYS = 200
"""Each is asked of each message: programs that know what they look for ask for a dozen at most."""
MAX_NEEDLE = 2_000
"""Characters. RFC 5322 §2.1.1: a line of a header is shorter."""

_NOTHING = Not(Everything())
# RFC 8474 §7: objectid = 1*255(ALPHA / DIGIT / "_" / "-")
_OBJECT_ID = re.compile(rb"[A-Za-z0-9_-]{1,255}(?![^ )])")
# RFC 7162 §7: entry-name = DQUOTE "/flags/" attr-flag DQUOTE
_ENTRY_NAME = re.compile(rb"\"/flags/(?:[^\x00-\x1f\x7f-\xff\"\\]|\\[\"\\])+\"")
_ENTRY_TYPES = ("PRIV", "SHARED", "ALL")


def search_program(cursor: Cursor) -> Query | None:
    """search-program = ["CHARSET" SP charset SP] search-key *(SP search-key); None: in a charset that is not known,
    and then the rest is not read."""
    if cursor.skip_word(b"CHARSET"):
        cursor.space()
        return search_criteria(cursor)
    return search_keys(cursor)


def search_criteria(cursor: Cursor) -> Query | None:
    """RFC 5256 §5: search-criteria = charset 1*(SP search-key); None: as above."""
    if cursor.astring().upper().decode("ascii", "replace") not in CHARSETS:
        return None
    cursor.space()
    return search_keys(cursor)


def search_keys(cursor: Cursor) -> Query:
    """To the end of the command."""
    query = _keys(cursor)
    cursor.end()
    if _count(query) > MAX_KEYS:
        raise SyntaxProblem("too many search keys")
    return query


def _count(query: Query) -> int:
    match query:
        case And(terms) | Or(terms):
            return sum(map(_count, terms))
        case Not(term) | Fuzzy(term):
            return _count(term)
        case _:
            return 1


def _keys(cursor: Cursor) -> Query:
    terms = [_key(cursor)]
    while cursor.skip(b" "):
        terms.append(_key(cursor))
    return terms[0] if len(terms) == 1 else And(tuple(terms))


def _key(cursor: Cursor) -> Query:
    if cursor.is_next(b"0123456789*$"):
        numbers = message_set(cursor)
        return numbers if isinstance(numbers, SavedResult) else InSequence(numbers)
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
    return Not(_inner(cursor))


def _fuzzy(cursor: Cursor) -> Query:
    return Fuzzy(_inner(cursor))


def _inner(cursor: Cursor) -> Query:
    cursor.descend()
    term = _key(cursor)
    cursor.ascend()
    return term


def _or(cursor: Cursor) -> Query:
    cursor.descend()
    first = _key(cursor)
    cursor.space()
    second = _key(cursor)
    cursor.ascend()
    return Or((first, second))


def _needle(cursor: Cursor) -> str:
    needle = cursor.text(cursor.astring())
    if len(needle) > MAX_NEEDLE:
        raise SyntaxProblem("too long a text to look for")
    return needle


def _header(cursor: Cursor) -> Query:
    name = _needle(cursor)
    cursor.space()
    return HeaderContains(name=name, needle=_needle(cursor))


def _uid(cursor: Cursor) -> Query:
    uids = message_set(cursor)
    return uids if isinstance(uids, SavedResult) else InUids(uids)


def _uid_after(cursor: Cursor) -> Query:
    """search-key =/ "UIDAFTER" SP uniqueid / "UIDBEFORE" SP uniqueid, RFC 9738 §3.2"""
    return InUids(NumSet(((1, MAX_NUMBER),)).above(cursor.nz_number()))


def _uid_before(cursor: Cursor) -> Query:
    uid = cursor.nz_number()
    return InUids(NumSet(((1, uid - 1),))) if uid > 1 else _NOTHING


def _mod_seq(cursor: Cursor) -> Query:
    """search-modsequence = "MODSEQ" [search-modseq-ext] SP mod-sequence-valzer"""
    if cursor.match(_ENTRY_NAME):
        cursor.space()
        # RFC 7162 §3.1.5: a server with one mod-sequence a message must not look at the entry's name and type.
        if cursor.word() not in _ENTRY_TYPES:
            raise SyntaxProblem("expected PRIV, SHARED or ALL")
        cursor.space()
    return ModSeqAtLeast(ModSeq(cursor.number(largest=MAX_NUMBER64)))


def _seconds(cursor: Cursor) -> int:
    """RFC 5032 §3: nz-number"""
    seconds = cursor.number()
    if not seconds:
        raise SyntaxProblem("expected a number above 0")
    return seconds


def _object_id(cursor: Cursor) -> str:
    found = cursor.match(_OBJECT_ID)
    if found is None:
        raise SyntaxProblem("expected an object id")
    return found.group().decode("ascii")


def _contains(field: TextField) -> Callable[[Cursor], Query]:
    return lambda cursor: Contains(field=field, needle=_needle(cursor))


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
    "SAVEDATESUPPORTED": Everything(),  # RFC 8514 §4.3: in every mailbox
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
    "SAVEDBEFORE": _before(TimeField.SAVED),
    "SAVEDON": _on(TimeField.SAVED),
    "SAVEDSINCE": _since(TimeField.SAVED),
    "OLDER": lambda cursor: AgeRange(older_s=_seconds(cursor), younger_s=None),
    "YOUNGER": lambda cursor: AgeRange(older_s=None, younger_s=_seconds(cursor)),
    "HEADER": _header,
    "KEYWORD": lambda cursor: HasKeyword(keyword(cursor)),
    "UNKEYWORD": lambda cursor: Not(HasKeyword(keyword(cursor))),
    "LARGER": lambda cursor: SizeRange(larger=cursor.number(largest=MAX_NUMBER64), smaller=None),
    "SMALLER": lambda cursor: SizeRange(larger=None, smaller=cursor.number(largest=MAX_NUMBER64)),
    "UID": _uid,
    "UIDAFTER": _uid_after,
    "UIDBEFORE": _uid_before,
    "MODSEQ": _mod_seq,
    "EMAILID": lambda cursor: EmailIdIs(_object_id(cursor)),
    "THREADID": lambda cursor: ThreadIdIs(_object_id(cursor)),
    "NOT": _not,
    "OR": _or,
    "FUZZY": _fuzzy,
}
