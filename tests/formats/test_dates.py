"""RFC 5322 §3.3, §4.3 and its appendix A; RFC 9051 §9 date-time."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailstack.formats.dates import format_date, parse_date, written_day
from mailstack.model.instant import Instant, from_datetime


def at(*parts: int) -> Instant:
    year, month, day, hour, minute, second = parts
    return from_datetime(datetime(year, month, day, hour, minute, second, tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        (b"Fri, 21 Nov 1997 09:55:06 -0600", at(1997, 11, 21, 15, 55, 6)),  # RFC 5322 A.1.1
        (b"Tue, 1 Jul 2003 10:52:37 +0200", at(2003, 7, 1, 8, 52, 37)),  # A.1.2
        (b"21 Nov 97 09:55:06 GMT", at(1997, 11, 21, 9, 55, 6)),  # A.6.2
        (b"Fri, 21 Nov 1997 09(comment):   55  :  06 -0600", at(1997, 11, 21, 15, 55, 6)),  # A.6.3
        (b"Thu,\r\n 13\r\n  Feb\r\n   1969\r\n 23:32\r\n  -0330 (Newfoundland Time)", at(1969, 2, 14, 3, 2, 0)),  # A.5
        (b"1 Jan 49 00:00 UT", at(2049, 1, 1, 0, 0, 0)),  # §4.3: two digits
        (b"1 Jan 50 00:00 UT", at(1950, 1, 1, 0, 0, 0)),
        (b"1 Jan 101 00:00 UT", at(2001, 1, 1, 0, 0, 0)),  # three digits
        (b"Mon, 01 Jan 2024 00:00:00 PST", at(2024, 1, 1, 8, 0, 0)),
        (b"Mon, 01 Jan 2024 00:00:00 EDT", at(2024, 1, 1, 4, 0, 0)),
        (b"Mon, 01 Jan 2024 00:00:00 K", at(2024, 1, 1, 0, 0, 0)),  # §4.3: military zones say nothing
        (b"Mon, 01 Jan 2024 00:00:00 -0000", at(2024, 1, 1, 0, 0, 0)),
        (b"Mon, 01 Jan 2024 00:00:00", at(2024, 1, 1, 0, 0, 0)),
        (b"Sat, 31 Dec 2016 23:59:60 +0000", at(2017, 1, 1, 0, 0, 0)),  # a leap second
        (b"mon, 01 jan 2024 00:00:00 +0000", at(2024, 1, 1, 0, 0, 0)),
        (b"Mon 01-January-2024 00:00:00.123 +0000", at(2024, 1, 1, 0, 0, 0)),
    ],
)
def test_dates_are_read(text: bytes, instant: Instant) -> None:
    assert parse_date(text) == instant


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"yesterday",
        b"Fri, 31 Feb 1997 09:55:06 -0600",
        b"Fri, 21 Nov 1997 24:00:00 -0600",
        b"Fri, 21 Nov 1997 23:60:00 -0600",
        b"Fri, 21 Foo 1997 23:00:00 -0600",
        b"1 Jan 1066 00:00 UT",
        b"(" * 100_000,
        b"1" * 100_000,
        b"Fri, " + b" " * 100_000 + b"x",
    ],
)
def test_what_is_no_date_is_none(text: bytes) -> None:
    assert parse_date(text) is None


def test_the_written_day_disregards_the_zone() -> None:
    # RFC 9051 §6.4.4: SENTON disregards time and timezone.
    assert written_day(b"Fri, 21 Nov 1997 23:55:06 -0600") == date(1997, 11, 21).toordinal()
    assert written_day(b"Fri, 21 Nov 1997 00:05:06 +1300") == date(1997, 11, 21).toordinal()
    assert written_day(b"never") is None


def test_dates_are_written() -> None:
    assert format_date(at(1997, 11, 21, 15, 55, 6)) == "Fri, 21 Nov 1997 15:55:06 +0000"
    assert format_date(at(1997, 11, 21, 15, 55, 6), -210) == "Fri, 21 Nov 1997 12:25:06 -0330"


@settings(derandomize=True)
@given(st.integers(at(1900, 1, 2, 0, 0, 0) // 1000, at(9998, 12, 30, 0, 0, 0) // 1000), st.integers(-14 * 60, 14 * 60))
def test_what_is_written_reads_back(seconds: int, offset: int) -> None:
    instant = Instant(seconds * 1000)
    assert parse_date(format_date(instant, offset).encode()) == instant


@settings(derandomize=True, max_examples=500)
@given(st.text(alphabet="0123456789 :,-+JanFebMon()\\\t", max_size=60))
def test_any_date_that_is_read_can_be_written(text: str) -> None:
    instant = parse_date(text.encode())
    if instant is not None:
        assert parse_date(format_date(instant).encode()) == instant
