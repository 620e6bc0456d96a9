"""Mailboxes by their filters and orders, as a list and as a tree."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstack.formats.collation import FOLDS
from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.faults import MethodFault, MethodFaultType
from mailstack.wire.jmap.mail.mailbox_query import MailboxFacts, MailboxQuery, read_mailbox_query


def mailbox(
    id_: str,
    name: str,
    parent_id: str | None = None,
    *,
    role: str | None = None,
    order: int = 10,
    subscribed: bool = True,
) -> MailboxFacts:
    return MailboxFacts(
        id=id_,
        parent_id=parent_id,
        name=name,
        role=role,
        sort_order=order,
        is_subscribed=subscribed,
    )


MAILBOXES = [
    mailbox("1", "Inbox", role="inbox", order=1),
    mailbox("2", "Trash", role="trash", order=6),
    mailbox("3", "work", subscribed=False),
    mailbox("4", "zeta", "3"),
    mailbox("5", "Alpha", "3"),
    mailbox("6", "home"),
    mailbox("7", "Beta", "5", subscribed=False),
]


def read(asked: dict[str, Any]) -> MailboxQuery:
    arguments = Arguments(asked)
    found = read_mailbox_query(arguments, id_of=lambda text: {"#k": "3"}.get(text, text), folded=str.lower, folds=FOLDS)
    arguments.finish()
    return found


def find(**asked: Any) -> str:
    return "".join(read(asked).find(MAILBOXES))


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ({}, "1234567"),
        ({"parentId": None}, "1236"),
        ({"parentId": "3"}, "45"),
        ({"parentId": "#k"}, "45"),
        ({"parentId": "9"}, ""),
        ({"role": "trash"}, "2"),
        ({"role": None}, "34567"),
        ({"role": "nothing"}, ""),
        ({"hasAnyRole": True}, "12"),
        ({"hasAnyRole": False}, "34567"),
        ({"isSubscribed": False}, "37"),
        ({"isSubscribed": True}, "12456"),
        ({"name": "ET"}, "47"),
        ({"name": "e", "parentId": None}, "6"),
        ({"operator": "NOT", "conditions": [{"name": "e"}, {"hasAnyRole": True}]}, "35"),
        ({"operator": "OR", "conditions": [{"parentId": "5"}, {"role": "inbox"}]}, "17"),
    ],
)
def test_filters(condition: dict[str, Any], found: str) -> None:
    assert find(filter=condition) == found


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, "1234567"),
        ({"sort": [{"property": "name"}]}, "5761234"),
        ({"sort": [{"property": "name", "isAscending": False}]}, "4321675"),
        ({"sort": [{"property": "name", "collation": "i;octet"}]}, "5712634"),
        ({"sort": [{"property": "sortOrder"}, {"property": "name"}]}, "1257634"),
        ({"sort": [{"property": "sortOrder"}, {"property": "name"}], "sortAsTree": True}, "1263574"),
        ({"sort": [{"property": "name"}], "sortAsTree": True, "filter": {"isSubscribed": True}}, "61254"),
        ({"filter": {"isSubscribed": True}, "filterAsTree": True}, "126"),
        ({"filter": {"hasAnyRole": False}, "filterAsTree": True}, "34567"),
        ({"sort": [{"property": "name", "isAscending": False}], "sortAsTree": True}, "3457216"),
    ],
)
def test_orders_and_trees(asked: dict[str, Any], found: str) -> None:
    assert find(**asked) == found


@pytest.mark.parametrize(
    ("asked", "type_"),
    [
        ({"filter": {"colour": 1}}, MethodFaultType.UNSUPPORTED_FILTER),
        ({"filter": {"parentId": 1}}, MethodFaultType.INVALID_ARGUMENTS),
        ({"filter": {"parentId": "a b"}}, MethodFaultType.INVALID_ARGUMENTS),
        ({"filter": {"role": 1}}, MethodFaultType.INVALID_ARGUMENTS),
        ({"filter": {"name": None}}, MethodFaultType.INVALID_ARGUMENTS),
        ({"filter": {"hasAnyRole": None}}, MethodFaultType.INVALID_ARGUMENTS),
        ({"filter": {"isSubscribed": "x"}}, MethodFaultType.INVALID_ARGUMENTS),
        ({"sort": [{"property": "role"}]}, MethodFaultType.UNSUPPORTED_SORT),
        ({"sortAsTree": 1}, MethodFaultType.INVALID_ARGUMENTS),
    ],
)
def test_what_is_wrong(asked: dict[str, Any], type_: MethodFaultType) -> None:
    with pytest.raises(MethodFault) as caught:
        read(asked)
    assert caught.value.type is type_


@given(st.lists(st.integers(min_value=-1, max_value=12), min_size=1, max_size=13), st.booleans())
def test_as_a_tree_what_is_above_comes_first_and_nothing_is_lost(parents: list[int], is_ascending: bool) -> None:
    some = [
        mailbox(str(at), f"n{parent}", str(parent) if -1 < parent < at else None) for at, parent in enumerate(parents)
    ]
    asked = {"sort": [{"property": "name", "isAscending": is_ascending}], "sortAsTree": True}
    found = read(asked).find(some)
    assert sorted(found) == sorted(one.id for one in some)
    assert all(one.parent_id is None or found.index(one.parent_id) < found.index(one.id) for one in some)
