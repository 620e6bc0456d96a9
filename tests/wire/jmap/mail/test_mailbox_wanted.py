"""What a client may want of a mailbox."""

from typing import Any

import pytest

from mailstack.model.mailbox import MailboxRole
from mailstack.wire.jmap.faults import NotSet
from mailstack.wire.jmap.mail.mailbox_wanted import MailboxWanted, read_mailbox

_GIVEN = {"name": "a", "isSubscribed": True}


def test_all_of_it() -> None:
    given = {"name": "a", "parentId": "#k", "role": "archive", "isSubscribed": False, "sortOrder": 0, "totalEmails": 3}
    expected = MailboxWanted(name="a", parent_id="#k", role=MailboxRole.ARCHIVE, is_subscribed=False, sort_order=0)
    assert read_mailbox(given, fixed={"totalEmails": 3}) == expected


def test_null_is_none() -> None:
    wanted = read_mailbox({**_GIVEN, "parentId": None, "role": None}, fixed={})
    assert (wanted.parent_id, wanted.role) == (None, None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("name", ""),
        ("name", None),
        ("name", 1),
        ("name", "a/b"),
        ("parentId", ""),
        ("parentId", "#"),
        ("parentId", "a b"),
        ("parentId", 1),
        ("role", "postbox"),
        ("role", 1),
        ("role", []),
        ("isSubscribed", None),
        ("isSubscribed", 1),
        ("totalEmails", 4),
        ("sortOrder", -1),
        ("sortOrder", 2**31),
        ("sortOrder", 1.5),
        ("sortOrder", False),
        ("id", "F1-1"),
        ("colour", "red"),
    ],
)
def test_what_is_refused_is_named(name: str, value: Any) -> None:
    with pytest.raises(NotSet) as caught:
        read_mailbox({**_GIVEN, name: value}, fixed={"totalEmails": 3})
    answer = caught.value.fault.as_json()
    assert (answer["type"], answer["properties"]) == ("invalidProperties", [name])
