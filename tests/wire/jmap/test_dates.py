"""Dates of JSON, there and back."""

import pytest

from mailstack.model.instant import Instant
from mailstack.wire.jmap.dates import read_date, read_utc_date, write_date


def test_the_dates_of_the_rfc() -> None:
    assert read_date("2014-10-30T14:12:00+08:00") == (Instant(1_414_649_520_000), 480)
    assert read_utc_date("2014-10-30T06:12:00Z") == Instant(1_414_649_520_000)
    assert write_date(Instant(1_414_649_520_000), 480) == "2014-10-30T14:12:00+08:00"
    assert write_date(Instant(1_414_649_520_000), 0) == "2014-10-30T06:12:00Z"


def test_zones_that_cannot_be_written() -> None:
    assert write_date(Instant(0), 99 * 60) == "1970-01-01T00:00:00Z"
    assert write_date(Instant(-1000), -210) == "1969-12-31T20:29:59-03:30"


@pytest.mark.parametrize(
    "value",
    [
        None,
        1,
        "",
        "2014-10-30",
        "2014-10-30t06:12:00z",
        "2014-10-30T06:12:00",
        "2014-13-30T06:12:00Z",
        "2014-10-30T25:12:00Z",
        "2014-10-30T06:12:00+99:00",
        "0000-01-01T00:00:00Z",
        " 2014-10-30T06:12:00Z",
    ],
)
def test_what_is_no_date(value: object) -> None:
    assert read_date(value) is None
    assert read_utc_date(value) is None


def test_a_zone_is_no_utc() -> None:
    assert read_utc_date("2014-10-30T14:12:00+08:00") is None
