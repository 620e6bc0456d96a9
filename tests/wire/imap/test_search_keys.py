"""Search keys, into the shared query tree. RFC 9051 §6.4.4 and the extensions that add keys."""

from datetime import date

import pytest

from mailstack.model.ids import ModSeq
from mailstack.model.numset import STAR, NumSet
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
from mailstack.wire.imap.commands.search import Search
from tests.support.imap_events import events_of, fault_of, request_of

DAY = date(1994, 2, 1).toordinal()
RECEIVED, SENT, SAVED = TimeField.RECEIVED, TimeField.SENT, TimeField.SAVED


@pytest.mark.parametrize(
    ("keys", "query"),
    [
        (b"ALL", Everything()),
        (b"deleted", IsDeleted()),
        (b"UNSEEN", Not(HasKeyword("\\Seen"))),
        (b"NEW", Not(Everything())),
        (b"OLD", Everything()),
        (b"KEYWORD $Junk", HasKeyword("$Junk")),
        (b"UNKEYWORD a", Not(HasKeyword("a"))),
        (b"1:3,5", InSequence(NumSet(((1, 3), (5, 5))))),
        (b"*", InSequence(NumSet(((STAR, STAR),)))),
        (b"UID 7:*", InUids(NumSet(((7, STAR),)))),
        (b"UIDAFTER 7", InUids(NumSet(((8, 4294967295),)))),
        (b"UIDAFTER 4294967295", InUids(NumSet(()))),
        (b"UIDBEFORE 7", InUids(NumSet(((1, 6),)))),
        (b"UIDBEFORE 1", Not(Everything())),
        (b'SUBJECT "a b"', Contains(TextField.SUBJECT, "a b")),
        (b"TEXT x", Contains(TextField.TEXT, "x")),
        (b"BODY x BCC y", And((Contains(TextField.BODY, "x"), Contains(TextField.BCC, "y")))),
        (b'HEADER X-Foo ""', HeaderContains("X-Foo", "")),
        (b"SINCE 1-Feb-1994", DayRange(RECEIVED, DAY, None)),
        (b"BEFORE 1-Feb-1994", DayRange(RECEIVED, None, DAY)),
        (b"SENTON 1-Feb-1994", DayRange(SENT, DAY, DAY + 1)),
        (b"LARGER 100", SizeRange(100, None)),
        (b"SMALLER 100", SizeRange(None, 100)),
        (b"NOT SEEN", Not(HasKeyword("\\Seen"))),
        (b"OR SEEN (FLAGGED DRAFT)", Or((HasKeyword("\\Seen"), And((HasKeyword("\\Flagged"), HasKeyword("\\Draft")))))),
        (b"CHARSET utf-8 FROM x", Contains(TextField.FROM, "x")),
        ('CHARSET UTF-8 TO "jürgen"'.encode(), Contains(TextField.TO, "jürgen")),
        # RFC 5032 §4
        (b"YOUNGER 259200", AgeRange(None, 259200)),
        (b"OLDER 1", AgeRange(1, None)),
        # RFC 5182 §2.2, examples 3 and 4
        (b"$ SMALLER 4096", And((SavedResult(), SizeRange(None, 4096)))),
        (b"UID $", SavedResult()),
        (b"(OR $ 1,3000:3021)", Or((SavedResult(), InSequence(NumSet(((1, 1), (3000, 3021))))))),
        # RFC 6203 §3
        (b'FUZZY (SUBJECT "IMAP break")', Fuzzy(Contains(TextField.SUBJECT, "IMAP break"))),
        (b"FUZZY SUBJECT work ALL", And((Fuzzy(Contains(TextField.SUBJECT, "work")), Everything()))),
        # RFC 7162 §3.1.5, examples 15 and 16
        (b'MODSEQ "/flags/\\\\draft" all 620162338', ModSeqAtLeast(ModSeq(620162338))),
        (b'MODSEQ "/flags/x" PRIV 0', ModSeqAtLeast(ModSeq(0))),
        (b"OR NOT MODSEQ 720162338 LARGER 50000", Or((Not(ModSeqAtLeast(ModSeq(720162338))), SizeRange(50000, None)))),
        # RFC 8474 §6
        (b"EMAILID M6d99ac3275bb4e", EmailIdIs("M6d99ac3275bb4e")),
        (b"(THREADID T64b478a75b7ea9)", ThreadIdIs("T64b478a75b7ea9")),
        # RFC 8514 §4.3
        (b"SAVEDON 1-Feb-1994", DayRange(SAVED, DAY, DAY + 1)),
        (b"SAVEDSINCE 1-Feb-1994", DayRange(SAVED, DAY, None)),
        (b'SAVEDBEFORE "1-Feb-1994"', DayRange(SAVED, None, DAY)),
        (b"SAVEDATESUPPORTED", Everything()),
    ],
)
def test_keys(keys: bytes, query: Query) -> None:
    assert request_of(b"SEARCH " + keys) == Search(query=query, wants_uids=False)


def test_a_needle_may_be_a_literal() -> None:
    (event,) = events_of("a SEARCH CHARSET UTF-8 SUBJECT {4+}\r\nöß\r\n".encode())

    assert getattr(event, "request", None) == Search(query=Contains(TextField.SUBJECT, "öß"), wants_uids=False)


@pytest.mark.parametrize(
    "keys",
    [
        b"",
        b" ",
        b"FOO",
        b"()",
        b"(ALL",
        b"NOT",
        b"OR ALL",
        b"SUBJECT",
        b"HEADER x",
        b"SINCE yesterday",
        b"LARGER x",
        b"0",
        b"KEYWORD \\Seen",
        b"ALL ALL)",
        b"CHARSET",
        b"OLDER 0",
        b"YOUNGER x",
        b"$1",
        b"$,1",
        b"UID $x",
        b"UIDAFTER 0",
        b"UIDBEFORE *",
        b"FUZZY",
        b"MODSEQ",
        b'MODSEQ "/other/x" all 1',
        b'MODSEQ "/flags/x" some 1',
        b"MODSEQ 9223372036854775808",
        b"EMAILID",
        b"EMAILID a.b",
        b"THREADID " + b"T" * 256,
        b"SAVEDON",
    ],
)
def test_malformed(keys: bytes) -> None:
    assert fault_of(b"SEARCH " + keys)


def test_no_search_asks_for_more_than_so_many_things() -> None:
    assert isinstance(request_of(b"SEARCH " + b" ".join([b"BODY x"] * 200)), Search)
    assert fault_of(b"SEARCH " + b" ".join([b"BODY x"] * 201)) == "too many search keys"
    assert fault_of(b"SEARCH (OR (" + b" ".join([b"ALL"] * 199) + b") NOT ALL) ALL") == "too many search keys"


def test_nothing_longer_than_so_much_is_looked_for() -> None:
    assert isinstance(request_of(b"SEARCH TEXT " + b"x" * 2_000), Search)
    assert fault_of(b"SEARCH TEXT " + b"x" * 2_001) == "too long a text to look for"
    assert fault_of(b"SEARCH HEADER " + b"x" * 2_001 + b" y") == "too long a text to look for"


def test_nesting_has_an_end() -> None:
    assert fault_of(b"SEARCH " + b"FUZZY " * 65 + b"ALL") == "nested too deep"
    assert fault_of(b"SEARCH " + b"NOT (" * 33 + b"ALL" + b")" * 33) == "nested too deep"
