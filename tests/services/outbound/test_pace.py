"""How fast one destination is sent to."""

import pytest

from mailstack.model.delivery import Deferred, Delivered, Failed, Outcome, SmtpReply
from mailstack.model.instant import DAY_MS, HOUR_MS, MINUTE_MS, Instant
from mailstack.model.tls_policy import TlsFailure, TlsUsed
from mailstack.services.outbound.pace import STORM, Pace, names_a_rate

NOW = Instant(1_000_000)
GOOD = Delivered(reply=SmtpReply(code=250, status="2.0.0", text="ok"), host="mx.test")
NOBODY = Failed(reply=SmtpReply(code=550, status="5.1.1", text="no such user"), host="mx.test")
RATE = SmtpReply(code=421, status="4.7.28", text="Our system has detected an unusual rate of unsolicited mail")


def put_off(text: str = "greylisted", code: int = 451, status: str = "4.7.1", host: str = "mx.test") -> Deferred:
    return Deferred(reply=SmtpReply(code=code, status=status, text=text), host=host)


def pace(most: int = 8) -> Pace:
    return Pace(most=most, places=most)


@pytest.mark.parametrize(
    ("code", "status", "text", "expected"),
    [
        (421, "4.7.28", "Gmail has detected an unusual rate of unsolicited mail", True),
        (450, "4.7.28", "anything", True),
        (451, "4.7.650", "The mail server [192.0.2.1] has been temporarily rate limited due to IP reputation", True),
        (421, "4.7.0", "[TSS04] Messages temporarily deferred due to unexpected volume or user complaints", True),
        (421, "4.7.0", "Too many concurrent SMTP connections; please try again later", True),
        (451, "4.7.500", "Server busy. Please try again later", True),
        (452, "4.3.1", "You have exceeded the hourly limit", True),
        (421, "", "slow down", True),
        # Of one mailbox, of one mail, and of nobody.
        (450, "4.2.1", "The user you are trying to contact is receiving mail at a rate that prevents more", False),
        (452, "4.5.3", "Too many recipients", False),
        (451, "4.7.1", "Greylisted, please come again", False),
        (452, "4.2.2", "mailbox exceeded its quota", False),
        (550, "5.7.1", "rate limited for good", False),
        (451, "4.3.0", "separate problem", False),
    ],
)
def test_what_names_a_rate(code: int, status: str, text: str, expected: bool) -> None:
    assert names_a_rate(SmtpReply(code=code, status=status, text=text)) is expected


def test_a_rate_that_is_named_stops_all_and_comes_back_slowly() -> None:
    one = pace()
    one.note(Deferred(reply=RATE, host="mx.test"), NOW)
    assert one.places == 1
    assert one.why == RATE
    assert one.is_off(Instant(NOW + 5 * MINUTE_MS - 1))
    assert not one.is_off(Instant(NOW + 5 * MINUTE_MS))
    counts = []
    for _ in range(40):
        one.note(GOOD, Instant(NOW + HOUR_MS))
        counts.append(one.places)
    assert counts[:3] == [2, 2, 3]
    assert counts[-1] == 8
    assert one.is_plain


def test_it_is_left_alone_longer_each_time_up_to_an_hour() -> None:
    one, now, waits = pace(), NOW, []
    for _ in range(20):
        one.note(Deferred(reply=RATE, host="mx.test"), now)
        waits.append((one.until - now) // MINUTE_MS)
        now = one.until
    assert waits[:5] == [5, 10, 20, 40, 60]
    assert set(waits[5:]) == {60}


def test_a_clock_that_was_ahead_leaves_nobody_alone_for_longer() -> None:
    one = pace()
    one.note(Deferred(reply=RATE, host="mx.test"), Instant(NOW + DAY_MS))
    assert one.is_off(Instant(NOW + DAY_MS))
    assert not one.is_off(NOW)


def test_what_was_under_way_at_once_complains_once() -> None:
    one = pace()
    for _ in range(8):
        one.note(Deferred(reply=RATE, host="mx.test"), NOW)
    assert one.until == NOW + 5 * MINUTE_MS


def test_a_few_that_are_put_off_are_no_storm() -> None:
    one = pace()
    for _ in range(3):
        for _ in range(STORM - 1):
            one.note(put_off(), NOW)
        one.note(NOBODY, NOW)
    assert not one.is_off(NOW)
    assert one.places == 8


def test_in_a_storm_some_are_tried_at_a_time() -> None:
    one, now, waits = pace(), NOW, []
    for _ in range(6):
        for _ in range(STORM):
            assert not one.is_off(now)
            one.note(put_off(), now)
        waits.append((one.until - now) // MINUTE_MS)
        now = one.until
    assert waits == [1, 2, 4, 8, 15, 15]


@pytest.mark.parametrize(
    "outcome",
    [
        put_off("closing", code=421, status="4.3.2"),
        put_off("refused", host=""),
        Deferred(reply=SmtpReply(code=450, status="", text="not now"), host="mx.test", is_turned_away=True),
    ],
)
def test_one_in_trouble_gets_fewer_connections(outcome: Outcome) -> None:
    one = pace()
    seen = []
    for _ in range(4):
        one.note(outcome, NOW)
        seen.append(one.places)
    assert seen == [4, 2, 1, 1]


def test_a_host_that_is_not_reached_is_left_to_the_schedule() -> None:
    one = pace()
    for _ in range(3 * STORM):
        one.note(put_off("refused", host=""), NOW)
    assert not one.is_off(NOW)


def test_our_own_trouble_is_nobodys() -> None:
    one = pace()
    for _ in range(3 * STORM):
        one.note(Deferred(reply=RATE, host="mx.test", is_own_fault=True), NOW)
    assert one.is_plain


def test_another_limit_counts_at_once() -> None:
    one = pace()
    one.become(20)
    assert (one.places, one.most) == (20, 20)
    one.note(put_off("closing", code=421, status="4.3.2"), NOW)
    one.become(30)
    assert (one.places, one.most) == (10, 30)
    one.become(4)
    assert (one.places, one.most) == (4, 4)


def test_what_a_domain_says_of_tls_is_no_word_about_its_exchangers() -> None:
    """Others may have the same ones, and the domain's name may say anything."""
    one = pace()
    reply = SmtpReply(code=451, status="4.7.0", text="mx.test is not in the MTA-STS policy of rate-limit.test")
    tls = TlsUsed(policy="sts", failure=TlsFailure.VALIDATION_FAILURE)
    for _ in range(2 * STORM):
        one.note(Deferred(reply=reply, host="", tls=tls), NOW)
    assert one.is_plain
    assert not one.is_off(NOW)


def test_a_rate_is_named_by_servers_alone() -> None:
    one = pace()
    one.note(put_off("connect to rate-limit.test: timed out", status="4.4.1", host=""), NOW)
    assert not one.is_off(NOW)
    assert one.places == 4
