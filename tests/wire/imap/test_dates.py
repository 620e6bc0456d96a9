"""IMAP's dates."""

from datetime import UTC, date, datetime

import pytest

from mailstack.model.instant import Instant, from_datetime
from mailstack.wire.imap.dates import date_time, date_time_text, search_date
from mailstack.wire.imap.faults import SyntaxProblem
from mailstack.wire.imap.tokens import Cursor


def cursor(text: bytes) -> Cursor:
    return Cursor((text,), nesting=1, items=1)


@pytest.mark.parametrize("text", [b"1-Feb-1994", b'"1-Feb-1994"', b"01-FEB-1994"])
def test_search_date(text: bytes) -> None:
    assert search_date(cursor(text)) == date(1994, 2, 1).toordinal()


@pytest.mark.parametrize("text", [b"", b"30-Feb-1994", b"1-Foo-1994", b"1-Feb-94", b"1-Feb-0000"])
def test_what_is_no_search_date(text: bytes) -> None:
    with pytest.raises(SyntaxProblem):
        search_date(cursor(text))


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        (b'" 7-Feb-1994 22:43:04 -0800"', datetime(1994, 2, 8, 6, 43, 4, tzinfo=UTC)),
        (b'"17-Jul-1996 02:44:25 +0200"', datetime(1996, 7, 17, 0, 44, 25, tzinfo=UTC)),
        (b'"01-Jan-1960 00:00:00 +0000"', datetime(1970, 1, 1, tzinfo=UTC)),
        (b'"31-Dec-1998 23:59:60 +0000"', datetime(1998, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_date_time(text: bytes, moment: datetime) -> None:
    assert date_time(cursor(text)) == from_datetime(moment)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b'"17-Jul-1996"',
        b'"17-Jul-1996 25:44:25 +0200"',
        b'"17-Jul-1996 02:44:25 +9900"',
        b'"17-Jul-1996 02:44:25 UTC"',
        b'"00-Jul-1996 02:44:25 +0200"',
        b'"01-Jan-0001 00:00:00 +1400"',
        b'"31-Dec-9999 23:00:00 -1200"',
    ],
)
def test_what_is_no_date_time(text: bytes) -> None:
    with pytest.raises(SyntaxProblem):
        date_time(cursor(text))


def test_what_is_written_is_read_back() -> None:
    instant = Instant(1_700_000_000_000)

    assert date_time_text(instant) == b'"14-Nov-2023 22:13:20 +0000"'
    assert date_time(cursor(date_time_text(instant))) == instant
