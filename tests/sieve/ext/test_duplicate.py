"""RFC 7352."""

import pytest

from mailstack.sieve.actions import Action, Discard, Keep, TrackDuplicate
from mailstack.sieve.facts import Fact, IsDuplicate
from tests.support.sieve import done, faults

MESSAGE = "Message-ID: <1@a.example>\nX-Event-ID: e7\nSubject: x\n\n"
WEEK_S = 604_800


@pytest.mark.parametrize(
    ("tags", "unique_id", "period_s", "is_last"),
    [
        ("", "0:<1@a.example>", WEEK_S, False),
        (':header "x-event-id"', "0:e7", WEEK_S, False),
        (':uniqueid "u"', "0:u", WEEK_S, False),
        (':handle "h" :uniqueid "u"', "1:hu", WEEK_S, False),
        (":seconds 1800 :last", "0:<1@a.example>", 1800, True),
        (":seconds 999999999", "0:<1@a.example>", 90 * 86_400, False),
    ],
)
def test_what_is_remembered(tags: str, unique_id: str, period_s: int, is_last: bool) -> None:
    fact = IsDuplicate(unique_id)
    track = TrackDuplicate(unique_id=unique_id, period_s=period_s, is_last=is_last)
    script = f'require "duplicate"; if duplicate {tags} {{ discard; }}'
    assert done(script, MESSAGE, {fact: False}) == [track, Keep(is_implicit=True)]
    # Seen again: the time begins anew only with `:last`.
    seen: list[Action] = [*([track] if is_last else []), Discard()]
    assert done(script, MESSAGE, {fact: True}) == seen


def test_mail_without_an_id_is_no_duplicate() -> None:
    assert done('require "duplicate"; if duplicate { discard; }', "Subject: x\n\n") == [Keep(is_implicit=True)]


def test_asked_twice_it_is_remembered_once() -> None:
    facts: dict[Fact, object] = {IsDuplicate("0:u"): False}
    script = 'require "duplicate"; if duplicate :uniqueid "u" {} if duplicate :uniqueid "u" { discard; }'
    assert len(done(script, MESSAGE, facts)) == 2


def test_one_id_only() -> None:
    (fault,) = faults('require "duplicate"; if duplicate :header "a" :uniqueid "b" {}')
    assert "together with ':header'" in fault
