"""RFC 5260 §4, §5, by its examples."""

import pytest

from mailstack.formats.dates import parse_date
from tests.support.sieve import faults, holds

DATE = "Date: Tue, 29 Feb 2028 23:30:15 -0700\nReceived: from a by b; Wed, 1 Mar 2028 06:31:00 +0000\n\n"
REQUIRE = 'require ["date", "relational"]'


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("year", "2028"),
        ("month", "02"),
        ("day", "29"),
        ("date", "2028-02-29"),
        ("julian", "61830"),
        ("hour", "23"),
        ("minute", "30"),
        ("second", "15"),
        ("time", "23:30:15"),
        ("iso8601", "2028-02-29T23:30:15-07:00"),
        ("std11", "Tue, 29 Feb 2028 23:30:15 -0700"),
        ("zone", "-0700"),
        ("weekday", "2"),
    ],
)
def test_parts(part: str, value: str) -> None:
    assert holds(f'{REQUIRE}; date :originalzone "date" "{part}" "{value}"', DATE)


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ('date :zone "+0000" "date" "date" "2028-03-01"', True),
        ('date :zone "+0545" "date" "time" "12:15:15"', True),
        ('date :zone "-0930" "date" "hour" "21"', True),
        ('date "date" "hour" "07"', True),  # the server's zone, an hour east
        ('date :originalzone "received" "date" "2028-03-01"', True),
        ('date "x-none" "date" "2028-03-01"', False),
        ('date :count "eq" "x-none" "date" "0"', True),
        ('date "subject" "year" "2028"', False),
        ('date :value "ge" :originalzone "date" "hour" "09"', True),
        ('date "DATE" "WeekDay" "3"', True),
    ],
)
def test_dates(test: str, expected: bool) -> None:
    assert holds(f"{REQUIRE}; {test}", DATE, offset_minutes=60) is expected


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ('currentdate "date" "2028-03-01"', True),
        ('currentdate :zone "-0100" "date" "2028-02-29"', True),
        ('allof(currentdate :value "ge" "date" "2028-01-01", currentdate :value "lt" "date" "2028-12-31")', True),
        ('currentdate "weekday" ["0", "6"]', False),
    ],
)
def test_the_current_date_is_when_the_mail_came(test: str, expected: bool) -> None:
    now = parse_date(b"Wed, 1 Mar 2028 00:30:00 +0000")
    assert holds(f"{REQUIRE}; {test}", received_at=now) is expected


def test_the_sunday_is_the_first_day() -> None:
    assert holds(f'{REQUIRE}; date :originalzone "date" "weekday" "0"', "Date: 6 Feb 2000 10:00 +0000\n\n")
    # RFC 5260 §4.2: the day before the epoch of the Modified Julian Day, as far as mail has dates.
    assert holds(f'{REQUIRE}; date :originalzone "date" "julian" "40587"', "Date: 1 Jan 1970 00:00 +0000\n\n")
    assert holds(f'{REQUIRE}; date :originalzone "date" "julian" "40586"', "Date: 31 Dec 1969 23:59 +0000\n\n")


@pytest.mark.parametrize(
    ("test", "says"),
    [
        ('date "date" "yaer" "1"', "'yaer' is no part of a date (did you mean 'year'?)"),
        ('date :zone "CET" "date" "year" "1"', "'CET' is no time zone"),
        ('date :zone "+0060" "date" "year" "1"', "is no time zone"),
        ('date :zone "+0000" :originalzone "date" "year" "1"', "together with"),
        ('currentdate :originalzone "year" "1"', "unknown tagged argument"),
        ('date ["date", "x"] "year" "1"', "expects a string"),
    ],
)
def test_faults(test: str, says: str) -> None:
    (fault,) = faults(f'require "date"; if {test} {{}}')
    assert says in fault
