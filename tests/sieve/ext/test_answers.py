"""What a script tells others: RFC 5429, 5230, 6131, 8580, 5435, 5436; and what it hears of spam: RFC 5235."""

import pytest

from mailstack.sieve.actions import FileInto, Keep, Notify, Refusal, Reject, Vacation
from tests.support.sieve import done, faults, holds, outcome

KEPT = Keep(is_implicit=True)
DAY_S = 86_400


def test_refusals() -> None:
    assert done('require "reject"; reject "no";') == [Reject(kind=Refusal.REJECT, reason="no")]
    assert done('require "ereject"; ereject "no";') == [Reject(kind=Refusal.EREJECT, reason="no")]


@pytest.mark.parametrize(
    "script",
    [
        'keep; reject "no";',
        'reject "no"; keep;',
        'fileinto "A"; ereject "no";',
        'ereject "no"; redirect "a@b.example";',
        'reject "no"; vacation "away";',
        'reject "no"; reject "never";',
        'reject "no"; ereject "no";',
    ],
)
def test_mail_that_is_refused_is_not_taken_as_well(script: str) -> None:
    found = outcome(f'require ["reject", "ereject", "fileinto", "vacation"]; {script}')
    assert "cannot be refused" in found.fault
    assert found.actions == (KEPT,)


def test_mail_may_be_discarded_and_refused() -> None:
    assert len(done('require "reject"; discard; reject "no";')) == 2


def answered(tags: str, require: str = "") -> Vacation:
    action, kept = done(f'require ["vacation"{require}]; vacation {tags} "away";')
    assert kept == KEPT
    assert isinstance(action, Vacation)
    return action


@pytest.mark.parametrize(
    ("tags", "period_s"),
    [
        ("", 7 * DAY_S),
        (":days 1", DAY_S),
        (":days 0", DAY_S),
        (":days 1000", 90 * DAY_S),
        (":seconds 0", 0),
        (":seconds 1800", 1800),
    ],
)
def test_how_often_the_same_person_is_answered(tags: str, period_s: int) -> None:
    assert answered(tags, ', "vacation-seconds"').period_s == period_s


def test_what_is_answered() -> None:
    tags = ':subject "S" :from "a@b.example" :addresses ["c@d.example", "e@f.example"] :mime :handle "h"'
    assert answered(tags) == Vacation(
        reason="away",
        period_s=7 * DAY_S,
        handle="h",
        subject="S",
        sender="a@b.example",
        addresses=("c@d.example", "e@f.example"),
        is_mime=True,
    )


def test_answers_that_differ_are_told_apart() -> None:
    assert len({answered(tags).handle for tags in ("", ":mime", ':subject "S"', ':from "a@b.example"')}) == 4
    assert answered(":days 3").handle == answered("").handle


def test_there_is_one_answer() -> None:
    assert "two answers" in outcome('require "vacation"; vacation "a"; vacation "b";').fault


def test_a_copy_of_the_answer_is_filed() -> None:
    others = ', "fcc", "mailbox", "imap4flags", "special-use"'
    found = answered(':fcc "Sent" :create :flags ["\\\\Seen"] :specialuse "\\\\Sent"', others)
    assert found.fcc == FileInto(mailbox="Sent", create=True, flags=("\\Seen",), special_use="\\Sent")


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ('require ["vacation", "fcc"]; vacation :fcc "A" :create "x";', "require 'mailbox' first"),
        ('require ["vacation", "fcc", "mailbox"]; vacation :create "x";', "':create' without ':fcc'"),
        ('require "vacation"; vacation :fcc "A" "x";', "unknown tagged argument ':fcc'"),
        ('require "vacation"; vacation :seconds 1 "x";', "unknown tagged argument ':seconds'"),
        ('require "vacation-seconds"; vacation :seconds 1 :days 1 "x";', "together with ':seconds'"),
        ('require "enotify"; notify "xmpp:a@b.example";', "no way to notify"),
        ('require "enotify"; notify "mailto:";', "no way to notify"),
        ('require "enotify"; notify :importance "4" "mailto:a@b.example";', "no importance"),
        ('require "spamtest"; if spamtest :percent "1" {}', "unknown tagged argument ':percent'"),
    ],
)
def test_faults(script: str, says: str) -> None:
    (fault,) = faults(script)
    assert says in fault


def test_notify() -> None:
    script = 'notify :from "c@d.example" :importance "1" :options ["a=b"] :message "m" "mailto:a@b.example?subject=s";'
    assert done(f'require "enotify"; {script}') == [
        Notify(
            method="mailto:a@b.example?subject=s", message="m", sender="c@d.example", importance=1, options=("a=b",)
        ),
        KEPT,
    ]
    assert done('require "enotify"; notify "mailto:a@b.example";') == [Notify(method="mailto:a@b.example"), KEPT]


def test_a_method_of_variables_is_checked_at_the_run() -> None:
    require = 'require ["enotify", "variables"]; set "a" "b.example";'
    assert done(f'{require} notify "mailto:x@${{a}}";') == [Notify(method="mailto:x@b.example"), KEPT]
    assert "no way to notify" in outcome(f'{require} notify "${{a}}";').fault


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ('valid_notify_method "mailto:a@b.example"', True),
        ('valid_notify_method ["mailto:a@b.example", "http://a.example"]', False),
        ('notify_method_capability "mailto:a@b.example" "Online" "maybe"', True),
        ('notify_method_capability "mailto:a@b.example" "Online" ["yes", "no"]', False),
        ('notify_method_capability :contains "mailto:a@b.example" "color" ""', False),
    ],
)
def test_methods(test: str, expected: bool) -> None:
    assert holds(f'require "enotify"; {test}') is expected


def test_encodeurl() -> None:
    # RFC 5435 §6.1.
    script = 'set :encodeurl "a" "a b/\u00e4~"; if string "${a}" "a%20b%2F%C3%A4~" { discard; }'
    assert done(f'require ["enotify", "variables"]; {script}') != [KEPT]


NUMBERS = '"relational", "comparator-i;ascii-numeric"'


@pytest.mark.parametrize(
    ("score", "tenths", "percent"),
    [(None, 0, 0), (0.0, 1, 0), (11.0, 1, 11), (50.0, 5, 50), (99.9, 9, 99), (100.0, 10, 100), (500.0, 10, 100)],
)
def test_spamtest(score: float | None, tenths: int, percent: int) -> None:
    require = f'require ["spamtestplus", {NUMBERS}]; '
    equal = ':value "eq" :comparator "i;ascii-numeric"'
    assert holds(f'{require}spamtest {equal} "{tenths}"', spam_score=score)
    assert holds(f'{require}spamtest :percent {equal} "{percent}"', spam_score=score)
    count = 0 if score is None else 1
    assert holds(f'{require}spamtest :count "eq" :comparator "i;ascii-numeric" "{count}"', spam_score=score)


def test_virustest() -> None:
    require = f'require ["virustest", {NUMBERS}]; virustest '
    assert holds(f'{require}:value "ge" :comparator "i;ascii-numeric" "4"', virus=5)
    assert not holds(f'{require}:value "ge" :comparator "i;ascii-numeric" "4"', virus=1)
    assert holds(f'{require}:count "eq" :comparator "i;ascii-numeric" "0"', virus=0)


@pytest.mark.parametrize("command", ['vacation :from "{}" "away"', 'notify :from "{}" "mailto:a@example.com"'])
def test_whoever_seems_to_write_has_an_address(command: str) -> None:
    require = 'require ["vacation", "enotify", "variables"];'
    assert faults(f"{require} {command.format('Bart <bart@example.com>')};") == []
    (fault,) = faults(f"{require} {command.format('bart')};")
    assert "'bart': no address of one mailbox" in fault
    assert len(faults(f"{require} {command.format('')};")) == 1
    found = outcome(f'{require} set "who" "bart"; {command.format("${who}")};')
    assert found.fault == "mail from 'bart': no address of one mailbox: local@domain, with or without a name"


def test_options_of_a_notification() -> None:
    require = 'require ["enotify", "variables"];'
    assert faults(f'{require} notify :options ["a.b=", "1=b=c"] "mailto:a@example.com";') == []
    for option in ("", "a", "=a", "_a=b", "a=b\n"):
        assert len(faults(f'{require} notify :options "{option}" "mailto:a@example.com";')) == 1
    found = outcome(f'{require} set "x" "a"; notify :options "${{x}}" "mailto:a@example.com";')
    assert found.fault == "'a' is no option of a notification"
