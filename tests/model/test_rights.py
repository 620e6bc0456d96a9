"""Rights and how a list adds up. RFC 4314 §2."""

import pytest

from mailstack.model.errors import Invalid
from mailstack.model.flags import ANSWERED, DELETED, SEEN
from mailstack.model.ids import AccountId
from mailstack.model.rights import (
    ALL_RIGHTS,
    Grant,
    Right,
    RightsOperation,
    changed_rights,
    effective_rights,
    parse_rights,
    right_for_flag,
    rights_text,
    shown_rights,
)

ALICE, BOB = AccountId("a" * 16), AccountId("b" * 16)


def grant(identifier: str, rights: str, account_id: AccountId | None = None) -> Grant:
    return Grant(identifier=identifier, account_id=account_id, rights=parse_rights(rights))


@pytest.mark.parametrize(
    ("letters", "text", "shown"),
    [
        ("", "", ""),
        ("lr", "lr", "lr"),
        ("rl", "lr", "lr"),
        ("c", "kx", "kxc"),  # RFC 4314 §2.1.1: what RFC 2086 called create
        ("d", "te", "ted"),
        ("lrswida", "lrswitea", "lrswitead"),
        ("lrswipkxtea", "lrswipkxtea", "lrswipkxteacd"),
        ("k", "k", "kc"),
    ],
)
def test_letters(letters: str, text: str, shown: str) -> None:
    rights = parse_rights(letters)
    assert (text, shown) == (rights_text(rights), shown_rights(rights))


@pytest.mark.parametrize("letters", ["L", "lrq", "lrQswicda", "0", "é"])
def test_unknown_letters(letters: str) -> None:
    with pytest.raises(Invalid):
        parse_rights(letters)


@pytest.mark.parametrize(
    ("operation", "text"),
    [(RightsOperation.SET, "ws"), (RightsOperation.ADD, "lrsw"), (RightsOperation.REMOVE, "lr")],
)
def test_changes(operation: RightsOperation, text: str) -> None:
    assert changed_rights(parse_rights("lrs"), operation, parse_rights("ws")) == parse_rights(text)


@pytest.mark.parametrize(
    ("grants", "text"),
    [
        ([], ""),
        ([grant("bob@x", "lr", BOB)], "lr"),
        ([grant("alice@x", "lr", ALICE)], ""),
        ([grant("bob@x", "lr", BOB), grant("anyone", "s")], "lrs"),
        ([grant("authenticated", "l"), grant("anyone", "r")], "lr"),
        ([grant("bob@x", "lrw", BOB), grant("-bob@x", "w", BOB)], "lr"),
        ([grant("bob@x", "lrw", BOB), grant("-anyone", "w")], "lr"),
        ([grant("-bob@x", "w", BOB)], ""),
        ([grant("bob@x", "lr")], ""),  # nobody had this login when the entry was made
    ],
)
def test_what_a_list_gives(grants: list[Grant], text: str) -> None:
    assert rights_text(effective_rights(grants, BOB)) == text


def test_which_right_a_flag_needs() -> None:
    assert [right_for_flag(flag) for flag in (SEEN, DELETED, ANSWERED, "$Junk")] == [
        Right.SEEN,
        Right.DELETE_MESSAGES,
        Right.WRITE,
        Right.WRITE,
    ]
    assert len(ALL_RIGHTS) == 11
