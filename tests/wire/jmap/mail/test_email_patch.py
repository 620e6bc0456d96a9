"""What is changed of an email, and what cannot be."""

from typing import Any

import pytest

from mailstack.model.email import SetPatch
from mailstack.wire.jmap.faults import NotSet, SetFaultType
from mailstack.wire.jmap.mail.email_patch import email_patch, respelt


def test_one_by_one() -> None:
    found = email_patch({"keywords/$seen": True, "keywords/$Draft": None, "mailboxIds/F1": True, "mailboxIds/#k": None})
    assert found.keywords == SetPatch(added=frozenset({"\\Seen"}), removed=frozenset({"\\Draft"}))
    assert found.mailbox_ids == SetPatch(added=frozenset({"F1"}), removed=frozenset({"#k"}))


def test_as_a_whole() -> None:
    found = email_patch({"keywords": {"$flagged": True}, "mailboxIds": {"F1": True}})
    assert found.keywords.whole == frozenset({"\\Flagged"})
    assert found.mailbox_ids.whole == frozenset({"F1"})
    assert email_patch({"keywords": None}).keywords.whole == frozenset()
    assert email_patch({}).keywords.of(frozenset({"a"})) == {"a"}


@pytest.mark.parametrize(
    ("patch", "type_"),
    [
        ({"subject": "x"}, SetFaultType.INVALID_PROPERTIES),
        ({"mailboxIds": None}, SetFaultType.INVALID_PROPERTIES),
        ({"mailboxIds": {"F1": False}}, SetFaultType.INVALID_PROPERTIES),
        ({"keywords": ["a"]}, SetFaultType.INVALID_PROPERTIES),
        ({"keywords/\\Seen": True}, SetFaultType.INVALID_PROPERTIES),
        ({"keywords/a": 1}, SetFaultType.INVALID_PATCH),
        ({"keywords/a/b": True}, SetFaultType.INVALID_PATCH),
        ({"keywords": {}, "keywords/a": None}, SetFaultType.INVALID_PATCH),
    ],
)
def test_refused(patch: dict[str, Any], type_: SetFaultType) -> None:
    with pytest.raises(NotSet) as refusal:
        email_patch(patch)
    assert refusal.value.fault.type is type_


def test_keywords_are_the_same_whatever_their_case() -> None:
    before = frozenset({"Work", "$Junk"})
    patch = respelt(SetPatch(added=frozenset({"work", "new"}), removed=frozenset({"$junk"})), before)
    assert patch.of(before) == {"Work", "new"}
    assert respelt(SetPatch(whole=frozenset({"WORK"})), before).of(before) == {"Work"}
