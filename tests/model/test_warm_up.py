"""The share of mail that goes direct, day by day."""

from itertools import pairwise

import pytest

from mailstack.model.delivery import Deferred, Delivered, Failed, Outcome, SmtpReply
from mailstack.model.instant import DAY_MS, HOUR_MS, Instant
from mailstack.model.warm_up import WarmDay, WarmUp, goes_direct, is_trouble, most_at, provider_of, share_at, stage_of

START = 1_000
WARM_UP = WarmUp(start=Instant(START * DAY_MS), days=28)


def at(day: int, hour: int = 12) -> Instant:
    """day: of the warm-up, from 0."""
    return Instant((START + day) * DAY_MS + hour * HOUR_MS)


def day(number: int, taken: int, troubles: int) -> WarmDay:
    return WarmDay(provider="p.test", day=Instant((START + number) * DAY_MS), taken=taken, troubles=troubles)


@pytest.mark.parametrize(
    ("step", "share", "most"),
    [
        (0, 0.01, 50),
        (1, 0.0118, 100),
        (7, 0.0316, 6_400),
        (13, 0.0848, 409_600),
        (14, 0.1, None),
        (21, 0.3162, None),
        (27, 0.8483, None),
        (28, 1.0, None),
        (400, 1.0, None),
    ],
)
def test_the_curve(step: int, share: float, most: int | None) -> None:
    assert share_at(WARM_UP, step) == pytest.approx(share, abs=0.0001)
    assert most_at(WARM_UP, step) == most


def test_it_never_falls_by_itself() -> None:
    shares = [share_at(WARM_UP, step) for step in range(40)]
    assert shares == sorted(shares)


@pytest.mark.parametrize("days", [7, 28, 180])
def test_all_goes_direct_at_the_end_and_nothing_before_the_start(days: int) -> None:
    warm_up = WarmUp(start=WARM_UP.start, days=days)
    before = stage_of(warm_up, (), now=Instant(WARM_UP.start - 1))
    assert (before.step, before.share, before.has_room) == (None, 0.0, False)
    first = stage_of(warm_up, (), now=WARM_UP.start)
    assert (first.step, round(first.share, 6), first.most) == (0, 0.01, 50)
    last, after = (stage_of(warm_up, (), now=at(number, 0)) for number in (days - 1, days))
    assert last.share < 1
    assert (after.share, after.most) == (1.0, None)
    assert all(goes_direct(after, "p.test", mail_id) for mail_id in range(100))
    assert not any(goes_direct(before, "p.test", mail_id) for mail_id in range(100))


def test_the_share_is_that_of_the_mails_and_each_provider_has_its_own() -> None:
    stage = stage_of(WARM_UP, (), now=at(21))
    here, there = (
        {mail_id for mail_id in range(4_000) if goes_direct(stage, provider, mail_id)} for provider in ("a.test", "b.t")
    )
    assert len(here) / 4_000 == pytest.approx(stage.share, abs=0.03)
    assert len(there) / 4_000 == pytest.approx(stage.share, abs=0.03)
    assert here != there


def test_a_mail_that_began_direct_stays_so_while_the_share_grows() -> None:
    chosen = [
        {mail_id for mail_id in range(500) if goes_direct(stage_of(WARM_UP, (), now=at(number)), "p.test", mail_id)}
        for number in range(29)
    ]
    assert all(before <= after for before, after in pairwise(chosen))


def test_the_first_days_have_a_bound_of_their_own() -> None:
    full = stage_of(WARM_UP, (day(0, 45, 5),), now=at(0))
    assert (full.done, full.has_room) == (50, False)
    assert stage_of(WARM_UP, (day(0, 45, 4),), now=at(0)).has_room
    assert stage_of(WARM_UP, (day(0, 45, 5),), now=at(1)).has_room
    assert stage_of(WARM_UP, (day(14, 9_999_999, 0),), now=at(14)).has_room


@pytest.mark.parametrize(
    ("days", "step"),
    [
        ((), 10),
        ((day(3, 20, 2),), 10),  # fewer than three: anybody's bad luck
        ((day(3, 27, 3),), 10),  # a tenth
        ((day(3, 26, 3),), 8),
        ((day(3, 0, 3), day(4, 0, 3)), 6),
        (tuple(day(number, 0, 9) for number in range(11)), 0),
        ((day(10, 0, 3),), 8),  # today counts at once
        ((day(-1, 0, 99),), 10),  # before the start
    ],
)
def test_a_bad_day_takes_the_curve_back(days: tuple[WarmDay, ...], step: int) -> None:
    assert stage_of(WARM_UP, days, now=at(10)).step == step


def reply(code: int, status: str) -> SmtpReply:
    return SmtpReply(code=code, status=status, text="x")


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Delivered(reply=reply(250, "2.0.0"), host="mx"), False),
        (Deferred(reply=reply(451, "4.7.1"), host="mx"), True),
        (Deferred(reply=reply(421, "4.3.2"), host="mx", is_turned_away=True), True),
        (Deferred(reply=reply(451, "4.4.1"), host=""), None),
        (Deferred(reply=reply(452, "4.2.2"), host="mx"), False),
        (Failed(reply=reply(550, "5.7.1"), host="mx"), True),
        (Failed(reply=reply(550, "5.1.1"), host="mx"), False),
        (Failed(reply=reply(550, ""), host="mx"), True),
        (Failed(reply=reply(552, "5.3.4"), host="mx"), None),
        (Failed(reply=reply(554, "5.6.3"), host="mx"), None),
        (Failed(reply=reply(550, "5.7.30"), host="mx"), None),
        (Failed(reply=reply(550, "5.7.3"), host="mx"), True),
        (Deferred(reply=reply(451, "4.3.0"), host="mx"), True),
    ],
)
def test_what_is_a_trouble(outcome: Outcome, expected: bool | None) -> None:
    assert is_trouble(outcome) is expected


@pytest.mark.parametrize(
    ("host", "provider"),
    [
        ("alt1.aspmx.l.google.com", "google.com"),
        ("x-de.mail.protection.outlook.com", "outlook.com"),
        ("mx-ha02.web.de", "web.de"),
        ("mx.mail.example.co.uk", "example.co.uk"),
        ("example.co.uk", "example.co.uk"),
        ("co.uk", "co.uk"),
        ("localhost", "localhost"),
    ],
)
def test_whose_exchanger_it_is(host: str, provider: str) -> None:
    assert provider_of(host) == provider
