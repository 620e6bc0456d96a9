"""What is given of a message that is imported or copied."""

import pytest

from mailstack.model.flags import SEEN
from mailstack.wire.jmap.faults import NotSet
from mailstack.wire.jmap.mail.message_given import GivenMessage, given_message

_MAILBOXES = {"mailboxIds": {"F1": True, "#k": True}}


def test_all_that_can_be_given() -> None:
    given = {"id": "#e", **_MAILBOXES, "keywords": {"$seen": True}, "receivedAt": "1970-01-01T00:00:01Z"}
    found = given_message(given, of="id")
    assert (found.source, found.mailbox_ids, found.keywords, found.received_at) == (
        "#e",
        ["F1", "#k"],
        frozenset({SEEN}),
        1_000,
    )


@pytest.mark.parametrize("unsaid", [{}, {"keywords": None, "receivedAt": None}])
def test_what_is_not_said(unsaid: dict[str, object]) -> None:
    found = given_message({"blobId": "B1", **_MAILBOXES, **unsaid}, of="blobId")
    assert found == GivenMessage(source="B1", mailbox_ids=["F1", "#k"], keywords=None, received_at=None)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (_MAILBOXES, "blobId"),
        ({**_MAILBOXES, "blobId": 1}, "blobId"),
        ({**_MAILBOXES, "blobId": ""}, "blobId"),
        ({**_MAILBOXES, "blobId": "##B1"}, "blobId"),
        ({**_MAILBOXES, "blobId": "B1", "id": "M1"}, "id"),
        ({**_MAILBOXES, "blobId": "B1", "subject": "x"}, "subject"),
        ({"blobId": "B1"}, "mailboxIds"),
        ({"blobId": "B1", "mailboxIds": {}}, "mailboxIds"),
        ({"blobId": "B1", "mailboxIds": {"F1": False}}, "mailboxIds"),
        ({**_MAILBOXES, "blobId": "B1", "keywords": ["$seen"]}, "keywords"),
        ({**_MAILBOXES, "blobId": "B1", "keywords": {"a b": True}}, "keywords"),
        ({**_MAILBOXES, "blobId": "B1", "receivedAt": "yesterday"}, "receivedAt"),
    ],
)
def test_refused_by_name(given: dict[str, object], name: str) -> None:
    with pytest.raises(NotSet) as caught:
        given_message(given, of="blobId")
    assert (caught.value.fault.type, list(caught.value.fault.properties)) == ("invalidProperties", [name])
