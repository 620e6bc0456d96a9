"""SEARCH, into the shared query tree. RFC 3501 §6.4.4."""

from datetime import date

import pytest

from mailstack.model.numset import STAR, NumSet
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
from mailstack.wire.imap.commands.search import Search
from mailstack.wire.imap.events import Refused
from tests.support.imap_events import events_of, fault_of, request_of

DAY = date(1994, 2, 1).toordinal()
RECEIVED, SENT = TimeField.RECEIVED, TimeField.SENT


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
        ("CHARSET UTF-8 TO jürgen".replace("jürgen", '"jürgen"').encode(), Contains(TextField.TO, "jürgen")),
    ],
)
def test_keys(keys: bytes, query: Query) -> None:
    assert request_of(b"SEARCH " + keys) == Search(query=query, wants_uids=False)
    assert request_of(b"UID SEARCH " + keys) == Search(query=query, wants_uids=True)


def test_a_needle_may_be_a_literal() -> None:
    (event,) = events_of("a SEARCH CHARSET UTF-8 SUBJECT {4+}\r\nöß\r\n".encode())

    assert getattr(event, "request", None) == Search(query=Contains(TextField.SUBJECT, "öß"), wants_uids=False)


def test_an_unknown_charset_is_refused_with_those_that_are_known() -> None:
    assert events_of(b"a SEARCH CHARSET KOI8-R SUBJECT x\r\n") == [
        Refused(tag="a", code="BADCHARSET (US-ASCII UTF-8)", text="unknown charset")
    ]


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
    ],
)
def test_malformed(keys: bytes) -> None:
    assert fault_of(b"SEARCH " + keys)


def test_no_search_asks_for_more_than_so_many_things() -> None:
    assert isinstance(request_of(b"SEARCH " + b" ".join([b"BODY x"] * 200)), Search)
    assert fault_of(b"SEARCH " + b" ".join([b"BODY x"] * 201)) == "too many search keys"
    assert fault_of(b"SEARCH (OR (" + b" ".join([b"ALL"] * 199) + b") NOT ALL) ALL") == "too many search keys"
