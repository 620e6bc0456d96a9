"""A query as a function of what is known about one message, with three answers: yes, no, and not yet known.

Terms that need less knowledge are asked first, so the bytes of a message are read only when nothing else decides.
RFC 9051 §6.4.4.
"""

from collections.abc import Callable, Mapping
from enum import IntEnum
from operator import attrgetter
from typing import assert_never

from mailstack.formats.dates import written_day
from mailstack.formats.digest import OFTEN_ASKED
from mailstack.formats.headers import first, scan_fields
from mailstack.formats.searched import Needle, SearchedText, field_texts, folded, has, phrase
from mailstack.model.flags import DELETED
from mailstack.model.instant import DAY_MS, Instant
from mailstack.model.message import MessageDigest, Placement, StoredMessage
from mailstack.model.query import (
    AgeRange,
    And,
    Contains,
    DayRange,
    EmailIdIs,
    Everything,
    Fuzzy,
    HasAttachment,
    HasKeyword,
    HeaderContains,
    InMailbox,
    InMailboxOtherThan,
    InSequence,
    InstantRange,
    InUids,
    IsDeleted,
    ModSeqAtLeast,
    Not,
    Or,
    Query,
    SavedResult,
    SizeRange,
    TextField,
    ThreadHasKeyword,
    ThreadIdIs,
    TimeField,
)


class Need(IntEnum):
    """What a term has to know at most. FLAGS: of the placement, only keywords and \\Deleted."""

    FLAGS = 0
    PLACEMENT = 1
    STORED = 2
    TEXT = 3


class Facts:
    """What is known about one message so far; used again for the next one, as a mailbox may have 100,000."""

    __slots__ = ("placement", "stored", "text")

    def __init__(self, placement: Placement) -> None:
        self.placement = placement
        self.stored: StoredMessage | None = None
        self.text: SearchedText | None = None


Predicate = Callable[[Facts], bool | None]

_EPOCH_ORDINAL = 719_163
# Zones reach 99 h 59 min to either side, so a day as written lies this near the one in UTC.
_ZONE_DAYS = 5
_COLUMNS: Mapping[TextField, Callable[[MessageDigest], str]] = {
    TextField.SUBJECT: attrgetter("subject"),
    TextField.FROM: attrgetter("from_"),
    TextField.TO: attrgetter("to"),
    TextField.CC: attrgetter("cc"),
}


def need_of(query: Query) -> Need:
    match query:
        case And(terms) | Or(terms):
            return max(map(need_of, terms), default=Need.FLAGS)
        case Not(term) | Fuzzy(term):
            return need_of(term)
        case Everything() | HasKeyword() | IsDeleted():
            return Need.FLAGS
        case InUids() | ModSeqAtLeast() | InSequence() | SavedResult() | AgeRange() | EmailIdIs() | ThreadIdIs():
            return Need.PLACEMENT
        case InMailbox() | InMailboxOtherThan() | ThreadHasKeyword():
            return Need.PLACEMENT
        case DayRange() | InstantRange() | SizeRange() | HasAttachment():
            return Need.STORED
        case HeaderContains(name):
            return Need.STORED if name.lower().encode("ascii", "replace") in OFTEN_ASKED else Need.TEXT
        case Contains(field):
            return Need.TEXT if field in (TextField.TEXT, TextField.BODY) else Need.STORED
        case _:
            assert_never(query)


def predicate_of(query: Query) -> Predicate:
    """Raises ValueError for what only a session or the store knows: that is to be rewritten to UIDs."""
    match query:
        case Everything():
            return lambda _: True
        case And(terms):
            return _all([predicate_of(term) for term in sorted(terms, key=need_of)])
        case Or(terms):
            return _any([predicate_of(term) for term in sorted(terms, key=need_of)])
        case Not(term):
            return _not(predicate_of(term))
        case HasKeyword(keyword):
            return _has_keyword(keyword)
        case IsDeleted():
            return lambda facts: facts.placement.is_deleted
        case InUids(uids):
            return lambda facts: facts.placement.uid in uids
        case ModSeqAtLeast(mod_seq):
            return lambda facts: facts.placement.mod_seq >= mod_seq
        case Contains(field, needle, is_phrase):
            return _contains(field, phrase(folded(needle)) if is_phrase else folded(needle))
        case HeaderContains(name, needle):
            return _header_contains(name.lower().encode("ascii", "replace"), folded(needle))
        case DayRange() | InstantRange() | SizeRange():
            return _stored_range(query)
        case Fuzzy(term):
            return predicate_of(term)
        case HasAttachment():
            return lambda facts: None if facts.stored is None else facts.stored.digest.has_attachment
        case InSequence() | SavedResult() | AgeRange() | EmailIdIs() | ThreadIdIs():
            raise ValueError("what only a session or the store knows was not rewritten to UIDs")
        case InMailbox() | InMailboxOtherThan() | ThreadHasKeyword():
            raise ValueError("what asks about a whole account was not rewritten to UIDs")
        case _:
            assert_never(query)


def _all(tests: list[Predicate]) -> Predicate:
    if len(tests) == 1:
        return tests[0]

    def evaluate(facts: Facts) -> bool | None:
        answer: bool | None = True
        for test in tests:
            found = test(facts)
            if found is False:
                return False
            if found is None:
                answer = None
        return answer

    return evaluate


def _any(tests: list[Predicate]) -> Predicate:
    def evaluate(facts: Facts) -> bool | None:
        answer: bool | None = False
        for test in tests:
            found = test(facts)
            if found:
                return True
            if found is None:
                answer = None
        return answer

    return evaluate


def _not(test: Predicate) -> Predicate:
    def evaluate(facts: Facts) -> bool | None:
        found = test(facts)
        return None if found is None else not found

    return evaluate


def _has_keyword(keyword: str) -> Predicate:
    # RFC 9051 §2.3.2: keywords are compared without regard to case.
    wanted = keyword.casefold()
    if wanted == DELETED.casefold():
        return lambda facts: facts.placement.is_deleted
    # A mailbox has few combinations of keywords.
    known: dict[str, bool] = {}

    def evaluate(facts: Facts) -> bool:
        text = facts.placement.keywords_text
        answer = known.get(text)
        if answer is None:
            answer = known[text] = wanted in text.casefold().split()
        return answer

    return evaluate


def _stored_range(query: DayRange | InstantRange | SizeRange) -> Predicate:
    within = _size_within(query) if isinstance(query, SizeRange) else _time_within(query)
    return lambda facts: None if facts.stored is None else within(facts.stored)


def _size_within(query: SizeRange) -> Callable[[StoredMessage], bool]:
    # RFC 9051 §6.4.4: LARGER and SMALLER are strict.
    larger = -1 if query.larger is None else query.larger
    smaller = 1 << 63 if query.smaller is None else query.smaller
    return lambda stored: larger < stored.size_bytes < smaller


def _time_within(query: DayRange | InstantRange) -> Callable[[StoredMessage], bool]:
    match query.field:
        case TimeField.RECEIVED:
            return lambda stored: within(query, stored.received_at)
        case TimeField.SENT if isinstance(query, DayRange):
            first_, last = _bounds(query)
            return lambda stored: _is_sent_within(stored.digest, first_, last)
        case TimeField.SENT:
            return lambda stored: stored.digest.sent_at is not None and within(query, stored.digest.sent_at)
        case TimeField.SAVED:
            raise ValueError("what only the store knows was not rewritten to UIDs")
        case _:
            assert_never(query.field)


def within(query: DayRange | InstantRange, instant: Instant) -> bool:
    """Whatever the field."""
    first_, last = _bounds(query)
    return first_ <= (_utc_day(instant) if isinstance(query, DayRange) else instant) < last


def instants_of(query: DayRange | InstantRange) -> tuple[int, int]:
    """[first, last) in milliseconds, days being those of UTC; far away where it is open."""
    first_, last = _bounds(query)
    if isinstance(query, InstantRange):
        return first_, last
    return (
        first_ if query.first is None else (first_ - _EPOCH_ORDINAL) * DAY_MS,
        last if query.last is None else (last - _EPOCH_ORDINAL) * DAY_MS,
    )


def _bounds(query: DayRange | InstantRange) -> tuple[int, int]:
    return -(1 << 62) if query.first is None else query.first, 1 << 62 if query.last is None else query.last


def _is_sent_within(digest: MessageDigest, first_day: int, last_day: int) -> bool:
    if digest.sent_at is None:
        return False
    day = _utc_day(digest.sent_at)
    if first_day + _ZONE_DAYS <= day < last_day - _ZONE_DAYS:
        return True
    if not first_day - _ZONE_DAYS <= day < last_day + _ZONE_DAYS:
        return False
    # RFC 9051 §6.4.4: SENTSINCE and its kin take the Date field disregarding time and timezone.
    value = first(scan_fields(digest.header_block, 0, len(digest.header_block)), b"date")
    written = day if value is None else written_day(value)
    return written is not None and first_day <= written < last_day


def _utc_day(instant: Instant) -> int:
    return instant // DAY_MS + _EPOCH_ORDINAL


def _contains(field: TextField, needle: Needle) -> Predicate:
    match field:
        case TextField.BODY:
            return lambda facts: None if facts.text is None else facts.text.body_has(needle)
        case TextField.TEXT:
            return lambda facts: None if facts.text is None else _text_has(facts.text, needle)
        case TextField.BCC:
            return _header_contains(b"bcc", needle)
        case TextField.SUBJECT | TextField.FROM | TextField.TO | TextField.CC:
            return _digest_contains(field, needle) if needle else _header_contains(field.value.encode("ascii"), "")
        case _:
            assert_never(field)


def _text_has(text: SearchedText, needle: Needle) -> bool:
    return text.header_has(needle) or text.body_has(needle) or text.mime_has(needle)


def _digest_contains(field: TextField, needle: Needle) -> Predicate:
    column = _COLUMNS[field]
    return lambda facts: None if facts.stored is None else has(folded(column(facts.stored.digest)), needle)


def _header_contains(name: bytes, needle: Needle) -> Predicate:
    if name in OFTEN_ASKED:
        return lambda facts: (
            None
            if facts.stored is None
            else any(has(value, needle) for value in field_texts(facts.stored.digest.header_block, name))
        )
    return lambda facts: (
        None if facts.text is None else any(has(value, needle) for value in facts.text.field_values(name))
    )
