"""NOTIFY. RFC 5465 §8 and its examples."""

import pytest

from mailstack.model.events import EventName
from mailstack.model.mailbox_filter import MailboxFilter, Reach
from mailstack.wire.imap.commands.notify import EventGroup, Notify
from mailstack.wire.imap.events import Refused
from mailstack.wire.imap.fetch_items import Attribute
from tests.support.imap_events import events_of, fault_of, request_of

NEW, GONE, FLAGS = EventName.MESSAGE_NEW, EventName.MESSAGE_EXPUNGE, EventName.FLAG_CHANGE


def test_none() -> None:
    assert request_of(b"NOTIFY NONE") == Notify(groups=None)


def test_groups() -> None:
    command = b" ".join(
        (
            b"notify set status (selected (MessageNew (uid flags) MessageExpunge))",
            b"(mailboxes (INBOX misc) (MessageNew MessageExpunge FlagChange))",
            b"(personal (MailboxName)) (subtree Lists NONE)",
        )
    )
    request = request_of(command)

    assert request == Notify(
        wants_status=True,
        groups=(
            EventGroup(
                mailboxes=MailboxFilter(Reach.SELECTED),
                events=frozenset({NEW, GONE}),
                items=(Attribute.UID, Attribute.FLAGS),
            ),
            EventGroup(
                mailboxes=MailboxFilter(Reach.MAILBOXES, ("INBOX", "misc")), events=frozenset({NEW, GONE, FLAGS})
            ),
            EventGroup(mailboxes=MailboxFilter(Reach.PERSONAL), events=frozenset({EventName.MAILBOX_NAME})),
            EventGroup(mailboxes=MailboxFilter(Reach.SUBTREE, ("Lists",)), events=frozenset()),
        ),
    )


@pytest.mark.parametrize("event", [b"AnnotationChange", b"Sunrise"])
def test_events_that_nobody_tells_are_refused_with_a_list_of_those_that_are(event: bytes) -> None:
    (refused,) = events_of(b"a NOTIFY SET (personal (" + event + b"))\r\n")

    assert isinstance(refused, Refused)
    assert refused.code.startswith("BADEVENT (MessageNew MessageExpunge FlagChange MailboxName")


@pytest.mark.parametrize(
    "command",
    [
        b"NOTIFY",
        b"NOTIFY SET",
        b"NOTIFY SET STATUS",
        b"NOTIFY SET (personal)",
        b"NOTIFY SET (personal ())",
        b"NOTIFY SET (personal (MessageNew))",
        b"NOTIFY SET (personal (FlagChange))",
        b"NOTIFY SET (personal (MessageNew (UID) MessageExpunge))",
        b"NOTIFY SET (selected (MailboxName))",
        b"NOTIFY SET (selected NONE) (selected-delayed NONE)",
        b"NOTIFY SET (subtree-one x (MailboxName))",
        b"NOTIFY SET (mailboxes (MailboxName))",
        b"NOTIFY NONE x",
        b"NOTIFY SET" + b" (personal NONE)" * 100,
    ],
)
def test_malformed(command: bytes) -> None:
    assert fault_of(command)
