"""What a mail scores, written on top of it and read back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstack.formats.headers import first, scan_fields
from mailstack.formats.spam_fields import (
    claimed_spam_fields,
    explanation,
    spam_fields_in,
    without_own_spam_fields,
    write_spam_fields,
)
from mailstack.formats.words import decode_words
from mailstack.model.spam import Finding, Score

WORDS = Finding(rule="words", points=4.1, why="replica +0.4, cheap watches +0.3")
SPF = Finding(rule="spf-fail", points=2.0)
RECEIVED = (
    b"Received: from a.test ([192.0.2.1])\r\n\tby mx.test with ESMTP id 1;\r\n\tThu, 1 Jan 1970 00:00:00 +0000\r\n"
)
MESSAGE = b"From: a@b.test\r\nSubject: x\r\n\r\nX-Spam-Score: 9.0\r\n"


def test_each_finding_is_told_with_its_points() -> None:
    assert write_spam_fields(Score(findings=(WORDS, SPF)), is_junk=True) == (
        b"X-Spam-Score: 6.1\r\n"
        b"X-Spam-Explained: words 4.1 (replica +0.4, cheap watches +0.3); spf-fail 2.0\r\n"
        b"X-Spam-Flag: YES\r\n"
    )


def test_of_ham_there_is_no_flag_and_of_nothing_no_explanation() -> None:
    assert write_spam_fields(Score(findings=()), is_junk=False) == b"X-Spam-Score: 0.0\r\n"
    known = Finding(rule="known-correspondent", points=-3.0)
    assert write_spam_fields(Score(findings=(known,)), is_junk=False) == (
        b"X-Spam-Score: -3.0\r\nX-Spam-Explained: known-correspondent -3.0\r\n"
    )


def test_a_virus_comes_first() -> None:
    score = Score(findings=(SPF,), virus="Eicar-Test")
    assert explanation(score) == "virus (Eicar-Test); spf-fail 2.0"
    assert read_back(score) == (2.0, True, True)


@pytest.mark.parametrize("finding", [SPF, Finding(rule="words", points=2.0, why="дешёвые часы")])
def test_that_somebody_has_looked_for_a_virus_comes_first(finding: Finding) -> None:
    score = Score(findings=(finding,), is_virus_checked=True)
    assert explanation(score).startswith("no-virus; ")
    assert explanation(Score(findings=(), is_virus_checked=True)) == "no-virus"
    assert read_back(score) == (2.0, False, True)
    assert read_back(Score(findings=(), is_virus_checked=True)) == (0.0, False, True)
    assert read_back(Score(findings=(finding,), virus="Eicar")) == (2.0, True, True)


@pytest.mark.parametrize("name", ["virus", "no-virus"])
def test_a_rule_of_such_a_name_is_no_virus_and_no_check(name: str) -> None:
    assert read_back(Score(findings=(Finding(rule=name, points=2.0, why="it says so"),))) == (2.0, False, False)


def read_back(score: Score) -> tuple[float, bool, bool] | None:
    found = spam_fields_in(write_spam_fields(score, is_junk=True) + RECEIVED + MESSAGE)
    return None if found is None else (found.points, bool(found.virus), found.is_virus_checked)


@given(st.text(max_size=600), st.text(max_size=600))
def test_whatever_strangers_write_stays_within_its_field(why: str, virus: str) -> None:
    score = Score(findings=(Finding(rule="subject", points=1.0, why=why),), virus=virus)
    written = write_spam_fields(score, is_junk=True)
    assert written.isascii()
    assert max(map(len, written.split(b"\r\n"))) <= 998
    fields = scan_fields(written + RECEIVED + MESSAGE)
    names = [field.name for field in fields]
    assert names == [b"x-spam-score", b"x-spam-explained", b"x-spam-flag", b"received", b"from", b"subject"]


def test_other_scripts_are_encoded() -> None:
    score = Score(findings=(Finding(rule="words", points=1.0, why="дешёвые часы"),))
    explained = first(scan_fields(write_spam_fields(score, is_junk=False)), b"x-spam-explained")
    assert explained is not None
    assert explained.isascii()
    assert decode_words(explained) == "words 1.0 (дешёвые часы)"


def test_of_very_many_the_first_are_told() -> None:
    findings = [Finding(rule=f"rule-{number}", points=0.1, why="because " * 10) for number in range(300)]
    told = explanation(Score(findings=findings))
    assert len(told) < 1_700
    assert told.startswith("rule-0 0.1 (because")
    assert told.endswith("more")


@pytest.mark.parametrize(
    ("raw", "points"),
    [
        (b"X-Spam-Score: 7.3\r\n" + RECEIVED + MESSAGE, 7.3),
        (b"Return-Path: <>\r\nX-Spam-Score: -2.0\r\n" + RECEIVED + MESSAGE, -2.0),
        (RECEIVED + b"X-Spam-Score: 7.3\r\n" + MESSAGE, None),  # by whoever sent it
        (b"X-Spam-Score: 7.3\r\n" + MESSAGE, None),  # by no server
        (b"X-Spam-Score: many\r\n" + RECEIVED + MESSAGE, None),
        (RECEIVED + MESSAGE, None),
        (b"", None),
    ],
)
def test_what_is_read_is_what_a_server_of_ours_wrote(raw: bytes, points: float | None) -> None:
    found = spam_fields_in(raw)
    assert (None if found is None else found.points) == points


def left(raw: bytes) -> bytes:
    ranges = claimed_spam_fields(raw)
    kept = list(raw)
    for start, end in reversed(ranges):
        del kept[start:end]
    return bytes(kept)


@pytest.mark.parametrize(
    "forged",
    [
        b"X-Spam-Score: -100\r\n",
        b"x-spam-flag : NO\r\n",
        b"X-SPAM-EXPLAINED: friend -9\r\n\tand more\r\n",
        b"X-Spam-Score: 1\r\nX-Spam-Score: 2\r\n",
    ],
)
def test_what_came_with_a_mail_is_found(forged: bytes) -> None:
    assert left(b"A: b\r\n" + forged + MESSAGE) == b"A: b\r\n" + MESSAGE


def test_others_and_the_body_stay() -> None:
    raw = b"X-Spam-Status: No\r\nX-Spam-Scores: 1\r\n" + MESSAGE
    assert left(raw) == raw


def test_our_own_go_and_those_that_came_with_it_stay() -> None:
    ours, theirs = write_spam_fields(Score(findings=(WORDS,)), is_junk=True), b"X-Spam-Score: 1.0\r\n"
    path = b"Return-Path: <>\r\n"
    assert without_own_spam_fields(path + ours + RECEIVED + theirs + MESSAGE) == path + RECEIVED + theirs + MESSAGE
    assert without_own_spam_fields(ours + RECEIVED) == RECEIVED
    assert without_own_spam_fields(theirs + MESSAGE) == theirs + MESSAGE
