"""Every condition of RFC 8621 §4.4.1 as a query, and what is said of those that are wrong."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstack.model.ids import MailboxId
from mailstack.model.instant import Instant
from mailstack.model.query import (
    And,
    Contains,
    Everything,
    HasAttachment,
    HasKeyword,
    HeaderContains,
    InMailbox,
    InMailboxOtherThan,
    InstantRange,
    Not,
    Or,
    Query,
    SizeRange,
    TextField,
    ThreadHasKeyword,
    ThreadReach,
    TimeField,
)
from mailstack.wire.jmap.faults import MethodFault, MethodFaultType
from mailstack.wire.jmap.mail.email_filter import MAX_NEEDLE, MAX_NODES, MAX_TOKENS, read_email_filter, tokens

NOTHING = Not(Everything())
MAILBOXES = {"Fa-1": MailboxId(1), "Fa-2": MailboxId(2)}
CONDITIONS: list[tuple[dict[str, Any], Query]] = [
    ({"inMailbox": "Fa-1"}, InMailbox(MailboxId(1))),
    ({"inMailbox": "Fa-9"}, NOTHING),
    ({"inMailboxOtherThan": ["Fa-1", "Fa-2"]}, InMailboxOtherThan(frozenset({MailboxId(1), MailboxId(2)}))),
    ({"inMailboxOtherThan": ["Fa-9"]}, InMailboxOtherThan(frozenset())),
    ({"before": "1970-01-01T00:00:01Z"}, InstantRange(TimeField.RECEIVED, None, Instant(1_000))),
    ({"after": "1970-01-01T00:00:01Z"}, InstantRange(TimeField.RECEIVED, Instant(1_000), None)),
    ({"minSize": 100}, SizeRange(larger=99, smaller=None)),
    ({"minSize": 0}, SizeRange(larger=-1, smaller=None)),
    ({"maxSize": 100}, SizeRange(larger=None, smaller=100)),
    ({"allInThreadHaveKeyword": "$seen"}, ThreadHasKeyword(ThreadReach.ALL, "\\Seen")),
    ({"someInThreadHaveKeyword": "$flagged"}, ThreadHasKeyword(ThreadReach.SOME, "\\Flagged")),
    ({"noneInThreadHaveKeyword": "$draft"}, ThreadHasKeyword(ThreadReach.NONE, "\\Draft")),
    ({"hasKeyword": "$Answered"}, HasKeyword("\\Answered")),
    ({"hasKeyword": "$Junk"}, HasKeyword("$Junk")),
    ({"notKeyword": "work"}, Not(HasKeyword("work"))),
    ({"hasAttachment": True}, HasAttachment()),
    ({"hasAttachment": False}, Not(HasAttachment())),
    ({"text": "x"}, Contains(TextField.TEXT, "x")),
    ({"from": "x"}, Contains(TextField.FROM, "x")),
    ({"to": "x"}, Contains(TextField.TO, "x")),
    ({"cc": "x"}, Contains(TextField.CC, "x")),
    ({"bcc": "x"}, Contains(TextField.BCC, "x")),
    ({"subject": "x"}, Contains(TextField.SUBJECT, "x")),
    ({"body": "x y"}, And((Contains(TextField.BODY, "x"), Contains(TextField.BODY, "y")))),
    ({"body": "'x  y'"}, Contains(TextField.BODY, "x  y", is_phrase=True)),
    ({"header": ["X-Thing"]}, HeaderContains("X-Thing", "")),
    ({"header": ["X-Thing", "a"]}, HeaderContains("X-Thing", "a")),
    ({"header": ["X-Thing", "'a b' c"]}, And((HeaderContains("X-Thing", "a b"), HeaderContains("X-Thing", "c")))),
    ({"hasKeyword": None, "text": None, "hasAttachment": None, "header": None, "minSize": None}, And(())),
    ({}, And(())),
    ({"minSize": 5, "from": "x"}, And((SizeRange(larger=4, smaller=None), Contains(TextField.FROM, "x")))),
]


def read(asked: dict[str, Any] | None) -> Query:
    return read_email_filter(asked, mailbox_of=MAILBOXES.get)


@pytest.mark.parametrize(("asked", "query"), CONDITIONS)
def test_conditions(asked: dict[str, Any], query: Query) -> None:
    assert read(asked) == query


def test_no_filter_finds_everything() -> None:
    assert read(None) == Everything()


def test_not_is_none_of_them() -> None:
    conditions = [{"hasKeyword": "a"}, {"hasKeyword": "b"}]
    terms = (HasKeyword("a"), HasKeyword("b"))
    assert read({"operator": "AND", "conditions": conditions}) == And(terms)
    assert read({"operator": "OR", "conditions": conditions}) == Or(terms)
    assert read({"operator": "NOT", "conditions": conditions}) == Not(Or(terms))


@pytest.mark.parametrize(
    "asked",
    [
        {"inMailbox": 1},
        {"inMailbox": "a b"},
        {"inMailboxOtherThan": "Fa-1"},
        {"before": "1970-01-01"},
        {"before": "1970-01-01T00:00:01+01:00"},
        {"after": 5},
        {"minSize": -1},
        {"maxSize": "5"},
        {"hasKeyword": "\\Seen"},
        {"hasKeyword": "a b"},
        {"hasKeyword": ""},
        {"notKeyword": True},
        {"hasAttachment": "yes"},
        {"text": 5},
        {"header": []},
        {"header": ["a", "b", "c"]},
        {"header": ["a:b"]},
        {"header": "a"},
    ],
)
def test_a_wrong_value_is_an_invalid_argument(asked: dict[str, Any]) -> None:
    with pytest.raises(MethodFault) as caught:
        read(asked)
    assert caught.value.type is MethodFaultType.INVALID_ARGUMENTS


MUCH = {"operator": "AND", "conditions": [{"body": "x " * MAX_TOKENS}] * (MAX_NODES // MAX_TOKENS)}


@pytest.mark.parametrize(
    "asked", [{"colour": "red"}, {"text": "x" * (MAX_NEEDLE + 1)}, {"body": "x " * (MAX_TOKENS + 1)}, MUCH]
)
def test_what_we_do_not_look_for_is_not_supported(asked: dict[str, Any]) -> None:
    with pytest.raises(MethodFault) as caught:
        read(asked)
    assert caught.value.type is MethodFaultType.UNSUPPORTED_FILTER


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("  ", []),
        ("one  two\tthree", ["one", "two", "three"]),
        ('"one two" three', ["one two", "three"]),
        ("'one two' three", ["one two", "three"]),
        (r'"a \"b\" c\\"', ['a "b" c\\']),
        (r"'it\'s'", ["it's"]),
        ("it's o'clock", ["it's", "o'clock"]),
        ('"never closed', ['"never', "closed"]),
        ('""', []),
        ('" "', []),
        ("' a b '", ["a b"]),
        (r"\"a", [r"\"a"]),
        ("会议 室", ["会议", "室"]),
    ],
)
def test_tokens(text: str, found: list[str]) -> None:
    assert tokens(text) == found


@given(st.text(alphabet="ab'\"\\ \t", max_size=40))
def test_any_text_has_tokens_that_stand_in_it(text: str) -> None:
    for token in tokens(text):
        assert token in text or "\\" in text
