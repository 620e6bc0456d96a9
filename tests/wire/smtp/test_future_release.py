"""HOLDFOR and HOLDUNTIL. RFC 4865 §4."""

import pytest

from mailstack.model.errors import Invalid
from mailstack.model.instant import DAY_MS, SECOND_MS, Instant, from_iso
from mailstack.wire.smtp.future_release import MAX_HOLD_S, ehlo_line, parse_hold

NOW = Instant(1_800_000_000_000)  # 2027-01-15T08:00:00Z


def test_what_is_offered_has_the_longest_wait_and_the_last_moment() -> None:
    assert ehlo_line(NOW) == "FUTURERELEASE 2592000 2027-02-14T08:00:00Z"


@pytest.mark.parametrize(
    ("parameters", "after_s"),
    [
        ({"SIZE": "1"}, None),
        ({"HOLDFOR": "0"}, 0),
        ({"HOLDFOR": "90"}, 90),
        ({"HOLDFOR": str(MAX_HOLD_S)}, MAX_HOLD_S),
        ({"HOLDUNTIL": "2027-01-15T08:00:00Z"}, 0),
        ({"HOLDUNTIL": "2027-01-15t08:01:00z"}, 60),
        ({"HOLDUNTIL": "2027-01-15T09:00:30.500+01:00"}, 30.5),
    ],
)
def test_mail_is_held_for_a_time_or_until_a_moment(parameters: dict[str, str | None], after_s: float | None) -> None:
    expected = None if after_s is None else NOW + after_s * SECOND_MS
    assert parse_hold(parameters, now=NOW) == expected


@pytest.mark.parametrize(
    "parameters",
    [
        {"HOLDFOR": None},
        {"HOLDFOR": ""},
        {"HOLDFOR": "-1"},
        {"HOLDFOR": "1.5"},
        {"HOLDFOR": "٣"},
        {"HOLDFOR": "1000000000"},
        {"HOLDFOR": str(MAX_HOLD_S + 1)},
        {"HOLDUNTIL": None},
        {"HOLDUNTIL": "2027-01-15"},
        {"HOLDUNTIL": "2027-01-15T08:00:00"},
        {"HOLDUNTIL": "2027-02-30T08:00:00Z"},
        {"HOLDUNTIL": "2027-01-15T07:59:59Z"},
        {"HOLDUNTIL": "2027-02-14T08:00:01Z"},
        {"HOLDUNTIL": "9999-12-31T23:59:59-23:59"},
        {"HOLDFOR": "60", "HOLDUNTIL": "2027-01-15T08:01:00Z"},
    ],
)
def test_what_is_malformed_past_or_too_far_off_is_refused(parameters: dict[str, str | None]) -> None:
    with pytest.raises(Invalid):
        parse_hold(parameters, now=NOW)


def test_the_last_moment_that_is_offered_is_taken() -> None:
    until = ehlo_line(NOW).split()[2]
    assert parse_hold({"HOLDUNTIL": until}, now=NOW) == from_iso(until) == NOW + 30 * DAY_MS
