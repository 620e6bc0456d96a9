"""What of refusals adds up, and to what."""

import pytest

from mailstack.model.address import parse_address
from mailstack.model.bad_address import (
    APART_MS,
    MAX_REPLY,
    REMEMBERED_MS,
    BadAddress,
    SuppressRule,
    is_of_the_address,
    is_plain,
    refused,
)
from mailstack.model.delivery import Deferred, Delivered, Failed, SmtpReply
from mailstack.model.instant import DAY_MS, HOUR_MS, Instant

GONE = SmtpReply(code=550, status="5.1.1", text="no such mailbox")
WHO = "gone@them.test"
RULE = SuppressRule(after=3, for_ms=30 * DAY_MS)


def after(*days: float, rule: SuppressRule = RULE) -> BadAddress | None:
    """What is known after refusals on these days."""
    known: BadAddress | None = None
    for day in days:
        known = refused(known, WHO, GONE, now=Instant(round(day * DAY_MS)), rule=rule) or known
    return known


def test_refusals_on_so_many_days_suppress_for_so_long() -> None:
    assert after(1, 2, 3) == BadAddress(
        address=WHO,
        refusals=3,
        since=Instant(DAY_MS),
        last_at=Instant(3 * DAY_MS),
        reply="550 5.1.1 no such mailbox",
        is_suppressed=True,
        ends_at=Instant(33 * DAY_MS),
    )


@pytest.mark.parametrize(
    ("days", "refusals"),
    [
        ((1, 2), 2),
        ((1, 1.01, 1.2, 1.8), 1),  # an outage of an evening
        ((1, 1 + APART_MS / DAY_MS), 2),  # a letter of every day, a little early
        ((1, 1.5, 2), 2),  # from the last that counted
        ((1, 0.5), 1),  # a clock that went back
        ((1, 2, 2 + REMEMBERED_MS / DAY_MS), 1),
    ],
)
def test_too_few_suppress_nothing(days: tuple[float, ...], refusals: int) -> None:
    known = after(*days)
    assert known is not None
    assert (known.refusals, known.is_suppressed) == (refusals, False)
    assert known.ends_at == known.last_at + REMEMBERED_MS


def test_a_refusal_is_enough_where_the_rule_says_so() -> None:
    known = after(1, rule=SuppressRule(after=1, for_ms=DAY_MS))
    assert known is not None
    assert [known.is_in_force(Instant(round(day * DAY_MS))) for day in (1, 1.9, 2)] == [True, True, False]


def test_what_was_tried_while_it_is_suppressed_makes_it_no_longer() -> None:
    known = after(1, 2, 3)
    assert known is not None
    assert refused(known, WHO, GONE, now=Instant(10 * DAY_MS), rule=RULE) is None


def test_afterwards_it_begins_anew() -> None:
    known = after(1, 2, 3, 33)
    assert known is not None
    assert (known.refusals, known.since, known.is_suppressed) == (1, Instant(33 * DAY_MS), False)


def test_what_a_person_suppressed_stays_as_it_is() -> None:
    by_hand = BadAddress(
        address=WHO,
        refusals=0,
        since=Instant(0),
        last_at=Instant(0),
        reply="asked us to stop",
        is_suppressed=True,
        ends_at=None,
        by="root",
    )
    assert refused(by_hand, WHO, GONE, now=Instant(900 * DAY_MS), rule=RULE) is None
    assert by_hand.is_in_force(Instant(900 * DAY_MS))


def test_of_an_endless_reply_the_beginning_is_kept() -> None:
    known = refused(None, WHO, SmtpReply(code=550, status="5.1.1", text="x" * 9_000), now=Instant(HOUR_MS), rule=RULE)
    assert known is not None
    assert len(known.reply) == MAX_REPLY


@pytest.mark.parametrize(
    ("status", "counts"),
    [
        ("5.1.1", True),
        ("5.1.6", True),
        ("5.1.10", True),
        ("5.2.1", True),
        ("", False),  # a 550 of policy has no code as well
        ("5.0.0", False),
        ("5.1.0", False),
        ("5.1.2", False),  # the domain
        ("5.1.3", False),
        ("5.1.7", False),  # the sender
        ("5.1.8", False),
        ("5.2.0", False),
        ("5.2.2", False),  # full
        ("5.2.3", False),  # the size
        ("5.3.4", False),
        ("5.4.7", False),
        ("5.6.0", False),
        ("5.7.1", False),
        ("5.7.26", False),
    ],
)
def test_only_words_about_the_mailbox_count(status: str, counts: bool) -> None:
    reply = SmtpReply(code=550, status=status, text="no")
    assert is_of_the_address(Failed(reply=reply, host="mx.them.test", is_of_recipient=True)) is counts
    # Of the mail as a whole, by a greeting, or said by ourselves.
    assert not is_of_the_address(Failed(reply=reply, host="mx.them.test"))


def test_what_is_not_for_good_does_not_count() -> None:
    later = SmtpReply(code=450, status="4.2.1", text="later")
    assert not is_of_the_address(Deferred(reply=later, host="mx.them.test"))
    assert not is_of_the_address(Delivered(reply=SmtpReply(code=250, status="2.1.5", text="ok"), host="mx.them.test"))


@pytest.mark.parametrize("path", ["Gone@Them.test", "a.b+c@them.test", "x@[192.0.2.1]", "'%'@them.test"])
def test_a_plain_path_is_its_key_but_for_its_case(path: str) -> None:
    assert is_plain(path)
    assert parse_address(path).key == path.lower()


@pytest.mark.parametrize("path", ['"a b"@them.test', "jörg@them.test", "x@bücher.test", "x@them.test."])
def test_others_are_not(path: str) -> None:
    assert not is_plain(path)
