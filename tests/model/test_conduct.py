"""Points, how they are forgiven, and how long bans last."""

import pytest

from mailstack.model.conduct import (
    HALF_LIFE_MS,
    POINTS,
    REMEMBERED_MS,
    Ban,
    BanRules,
    Offence,
    Record,
    fades_at,
    next_ban,
    peer_of,
    points_until,
    with_offence,
)
from mailstack.model.instant import DAY_MS, HOUR_MS, MINUTE_MS, Instant

NOW = Instant(1_800_000_000_000)
RULES = BanRules()


def points_of(offence: Offence, *, every_ms: int, count: int) -> float:
    record: Record | None = None
    for at in range(count):
        record = with_offence(record, offence, Instant(NOW + at * every_ms))
    assert record is not None
    return record.points


def test_half_is_forgiven_in_a_half_life() -> None:
    first = with_offence(None, Offence.PROTOCOL_ABUSE, NOW)
    assert first.points == POINTS[Offence.PROTOCOL_ABUSE]
    second = with_offence(first, Offence.UNKNOWN_RECIPIENT, Instant(NOW + HALF_LIFE_MS))
    assert second.points == pytest.approx(POINTS[Offence.PROTOCOL_ABUSE] / 2 + POINTS[Offence.UNKNOWN_RECIPIENT])


def test_a_clock_that_went_back_neither_forgives_nor_adds() -> None:
    record = with_offence(Record(10.0, NOW), Offence.UNKNOWN_RECIPIENT, Instant(NOW - DAY_MS))
    assert record.points == 11.0


@pytest.mark.parametrize("points", [0.3, 1.0, 2.0, 29.0])
def test_when_a_record_fades_tells_what_is_left_of_it_at_any_time(points: float) -> None:
    fading = fades_at(Record(points, NOW))
    assert points_until(fading, NOW, most=30) == points
    assert points_until(fading, Instant(NOW + 2 * HALF_LIFE_MS), most=30) == pytest.approx(points / 4)
    assert points_until(fading, Instant(NOW + DAY_MS), most=30) == 0
    assert points_until(fading, Instant(NOW - 1_000 * DAY_MS), most=30) == 0


def test_who_tries_passwords_is_over_the_limit_within_the_minute() -> None:
    assert points_of(Offence.FAILED_LOGIN, every_ms=2_000, count=16) >= RULES.after


def test_a_telephone_with_an_old_password_never_is() -> None:
    assert points_of(Offence.FAILED_LOGIN, every_ms=5 * MINUTE_MS, count=1_000) < RULES.after / 2


def test_each_ban_lasts_twice_as_long_as_the_one_before_up_to_a_cap() -> None:
    last: Ban | None = None
    lengths = []
    now = NOW
    for _ in range(10):
        last = next_ban("192.0.2.1", "failed logins", now, last=last, rules=RULES)
        lengths.append((last.until - last.since) / HOUR_MS)
        now = Instant(last.until + DAY_MS)
    assert lengths == [1, 2, 4, 8, 16, 32, 64, 128, 168, 168]


def test_who_was_good_for_long_enough_starts_anew() -> None:
    last = Ban(peer="192.0.2.1", reason="", since=NOW, until=NOW, times=9)
    assert next_ban("192.0.2.1", "", Instant(NOW + REMEMBERED_MS), last=last, rules=RULES).times == 1


@pytest.mark.parametrize(
    ("host", "peer"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:0:7::1", "2001:db8:0:7::/64"),
        ("2001:DB8:0:7:ffff::", "2001:db8:0:7::/64"),
    ],
)
def test_a_ban_is_for_a_subscriber(host: str, peer: str) -> None:
    assert peer_of(host) == peer


@pytest.mark.parametrize("host", ["", "mail.example.com", "192.0.2", "/run/lmtp"])
def test_what_is_no_address_is_nobody(host: str) -> None:
    with pytest.raises(ValueError):
        peer_of(host)
