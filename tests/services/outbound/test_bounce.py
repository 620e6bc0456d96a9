"""Which notices there are of an outcome, for every wish of a sender, and what they bring back. RFC 3461 §4, §5.2."""

import email
import email.policy
from email.message import EmailMessage, Message
from typing import cast

import pytest

from mailstack.model.delivery import Deferred, Delivered, Failed, Outcome, QueueItem, QueueState, SmtpReply
from mailstack.model.handling import UNASKED, Handling, Notification, NotifyOn, Returned
from mailstack.model.ids import MailId, QueueItemId
from mailstack.model.instant import HOUR_MS, Instant
from mailstack.services.outbound.bounce import MAX_RETURNED_OCTETS
from mailstack.services.outbound.settle import settlement
from tests.support.outbound_world import HOSTNAME, OutboundWorld

QUEUED_AT = Instant(1_700_000_000_000)
LATE = Instant(QUEUED_AT + 5 * HOUR_MS)
CONTENT = b"From: alice@example.com\r\nSubject: hi\r\n\r\nbody\r\n"
OK = SmtpReply(code=250, status="2.0.0", text="taken")
FAILED = Failed(reply=SmtpReply(code=550, status="5.1.1", text="no such user"), host="mx.them.test")
DEFERRED = Deferred(reply=SmtpReply(code=451, status="4.7.1", text="later"), host="mx.them.test")
RELAYED = Delivered(reply=OK, host="mx.them.test")
PASSED_ON = Delivered(reply=OK, host="mx.them.test", will_notify=True)
STORED = Delivered(reply=OK, host=HOSTNAME)
EXPANDED = Delivered(reply=OK, host=HOSTNAME, is_expanded=True)
STORED_BESIDE = Delivered(reply=OK, host="localhost", is_final=True)
SUCCESS, FAILURE, DELAY = (Notification(notify_on=frozenset({event})) for event in NotifyOn)
ALL = Notification(notify_on=frozenset(NotifyOn))
NEVER = Notification(notify_on=frozenset())


def queued(**changes: object) -> QueueItem:
    found: dict[str, object] = {
        "item_id": QueueItemId(1),
        "mail_id": MailId(1),
        "reverse_path": "alice@example.com",
        "recipient": "b@them.test",
        "state": QueueState.WAITING,
        "size_bytes": len(CONTENT),
        "queued_at": QUEUED_AT,
        "next_at": QUEUED_AT,
        "tries": 0,
        "last_reply": None,
        "last_host": "",
        "is_8bit": False,
        "smtp_utf8": False,
        "trace_id": "3f9c0b17d2a84e65",
    }
    return QueueItem(**(found | changes))  # type: ignore[arg-type]  # as a table has them


def notices(item: QueueItem, outcome: Outcome, content: bytes = CONTENT, *, now: Instant = LATE) -> list[EmailMessage]:
    found = settlement(OutboundWorld().service(), item, outcome, content, now).notices
    assert all(notice.reverse_path == "" and bytes(notice.raw).isascii() for notice in found)
    parsed = [email.message_from_bytes(bytes(notice.raw), policy=email.policy.default) for notice in found]
    assert not any(notice.defects for notice in parsed)
    return parsed


def actions(found: list[EmailMessage]) -> list[str]:
    return [str(field(notice, "Action")) for notice in found]


def field(notice: EmailMessage, name: str) -> object:
    """Of the delivery status, whichever group has it."""
    status = next(part for part in notice.walk() if part.get_content_type() == "message/delivery-status")
    groups = [group for group in cast(list[object], status.get_payload()) if isinstance(group, Message)]
    return next((group[name] for group in groups if name in group), None)


@pytest.mark.parametrize(
    ("wish", "failed", "deferred", "relayed"),
    [
        (UNASKED, ["failed"], ["delayed"], []),
        (NEVER, [], [], []),
        (SUCCESS, [], [], ["relayed"]),
        (FAILURE, ["failed"], [], []),
        (DELAY, [], ["delayed"], []),
        (ALL, ["failed"], ["delayed"], ["relayed"]),
    ],
)
def test_what_was_asked_for_is_told_and_nothing_else(
    wish: Notification, failed: list[str], deferred: list[str], relayed: list[str]
) -> None:  # RFC 3461 §4.1
    item = queued(notification=wish)
    assert actions(notices(item, FAILED)) == failed
    assert actions(notices(item, DEFERRED)) == deferred
    assert actions(notices(item, RELAYED)) == relayed
    for stored in (STORED, STORED_BESIDE):
        assert actions(notices(item, stored)) == (["delivered"] if relayed else [])
    assert actions(notices(item, EXPANDED)) == (["expanded"] if relayed else [])  # RFC 3461 §5.2.7.3
    assert notices(item, PASSED_ON) == []  # RFC 3461 §5.2.1


@pytest.mark.parametrize(
    ("outcome", "remote"), [(STORED, None), (STORED_BESIDE, "dns; localhost"), (RELAYED, "dns; mx.them.test")]
)
def test_only_what_another_server_said_names_one(outcome: Outcome, remote: str | None) -> None:  # RFC 3464 §2.3.5
    (notice,) = notices(queued(notification=SUCCESS), outcome)
    assert field(notice, "Remote-MTA") == remote
    assert (field(notice, "Last-Attempt-Date") is None) == (remote is None)  # §2.3.7


@pytest.mark.parametrize("outcome", [FAILED, DEFERRED, RELAYED])
@pytest.mark.parametrize("changes", [{"reverse_path": ""}, {"is_suspicious": True}])
def test_nobody_is_told_of_a_notice_or_of_spam(outcome: Outcome, changes: dict[str, object]) -> None:  # RFC 5321 §4.5.5
    assert notices(queued(notification=ALL, **changes), outcome) == []


@pytest.mark.parametrize(
    ("now", "is_told", "expected"),
    [
        (QUEUED_AT + 3 * HOUR_MS, False, []),
        (QUEUED_AT + 4 * HOUR_MS, False, ["delayed"]),
        (QUEUED_AT + 9 * HOUR_MS, True, []),
    ],
)
def test_a_delay_is_told_once(*, now: int, is_told: bool, expected: list[str]) -> None:
    item = queued(is_delay_told=is_told)
    assert actions(notices(item, DEFERRED, now=Instant(now))) == expected


@pytest.mark.parametrize(
    ("handling", "content", "outcome", "returned"),
    [
        (Handling(), CONTENT, FAILED, "text/rfc822-headers"),
        (Handling(returned=Returned.HEADERS), CONTENT, FAILED, "text/rfc822-headers"),
        (Handling(returned=Returned.FULL), CONTENT, FAILED, "message/rfc822"),
        # RFC 3461 §4.3: of failures alone
        (Handling(returned=Returned.FULL), CONTENT, DEFERRED, "text/rfc822-headers"),
        (Handling(returned=Returned.FULL), CONTENT, RELAYED, "text/rfc822-headers"),
        (Handling(returned=Returned.FULL), CONTENT + b"x\r\n" * MAX_RETURNED_OCTETS, FAILED, "text/rfc822-headers"),
        # RFC 8689 §5: as if RET=HDRS had been said
        (Handling(returned=Returned.FULL, requires_tls=True), CONTENT, FAILED, "text/rfc822-headers"),
        # what can be 7-bit is
        (Handling(returned=Returned.FULL), b"MIME-Version: 1.0\r\n\r\n\xc3\xa9\0\r\n", FAILED, "message/rfc822"),
        (Handling(returned=Returned.FULL), "Subject: ä\r\n\r\nbody\r\n".encode(), FAILED, "text/rfc822-headers"),
    ],
)
def test_what_comes_back_of_the_mail(handling: Handling, content: bytes, outcome: Outcome, returned: str) -> None:
    (notice,) = notices(queued(handling=handling, notification=ALL), outcome, content)
    parts = [part.get_content_type() for part in notice.iter_parts()]
    assert parts == ["text/plain", "message/delivery-status", returned]
    if returned == "message/rfc822":
        *_, whole = notice.iter_parts()
        (message,) = cast(list[EmailMessage], whole.get_payload())
        assert message.get_payload(decode=True) == content.partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize("outcome", [FAILED, DEFERRED, RELAYED, STORED])
@pytest.mark.parametrize(
    ("handling", "header", "expected"),
    [
        (Handling(), b"", (Handling(), None)),
        (Handling(requires_tls=True, envelope_id="Q1"), b"", (Handling(requires_tls=True), None)),
        (Handling(), b"TLS-Required: No\r\n", (Handling(), "No")),
        (Handling(requires_tls=True), b"TLS-Required: No\r\n", (Handling(requires_tls=True), None)),
    ],
)
def test_a_notice_asks_for_tls_as_the_mail_did(
    outcome: Outcome, handling: Handling, header: bytes, expected: tuple[Handling, str | None]
) -> None:  # RFC 8689 §5, §6
    item = queued(handling=handling, notification=ALL)
    (notice,) = settlement(OutboundWorld().service(), item, outcome, header + CONTENT, LATE).notices
    assert (notice.handling, email.message_from_bytes(bytes(notice.raw))["TLS-Required"]) == expected


def test_it_says_what_the_sender_knows_the_mail_and_the_recipient_by() -> None:  # RFC 3461 §6.3, RFC 3464 §2.2.1
    wish = Notification(notify_on=None, original_recipient="rfc822;bob+2Bx@example.com")
    (notice,) = notices(queued(notification=wish, handling=Handling(envelope_id="Q+2B1")), FAILED)
    assert field(notice, "Original-Envelope-Id") == "Q+1"
    assert field(notice, "Original-Recipient") == "rfc822; bob+x@example.com"
    assert field(notice, "Final-Recipient") == "rfc822; b@them.test"
    assert field(notice, "Diagnostic-Code") == "smtp; 550 5.1.1 no such user"
    assert field(notice, "X-Mailstack-Trace") == "3f9c0b17d2a84e65"
    text = next(iter(notice.iter_parts()))
    assert isinstance(text, EmailMessage)
    assert "mx.them.test said: 550 5.1.1 no such user" in text.get_content()
    assert "trace: 3f9c0b17d2a84e65" in text.get_content()


@pytest.mark.parametrize(("recipient", "expected"), [("ä@them.test", r"utf-8; \x{E4}@them.test")])
def test_an_internationalised_recipient_is_named_in_seven_bits(recipient: str, expected: str) -> None:  # RFC 6533 §3
    (notice,) = notices(queued(recipient=recipient, smtp_utf8=True), FAILED)
    assert field(notice, "Final-Recipient") == expected


@pytest.mark.parametrize("returned", [Returned.FULL, Returned.HEADERS])
def test_what_it_scored_here_is_not_told(returned: Returned) -> None:
    received = (
        b"Received: from a.test ([192.0.2.1])\r\n\tby mx.test with ESMTP id 1; Thu, 1 Jan 1970 00:00:00 +0000\r\n"
    )
    content = b"X-Spam-Score: 4.0\r\nX-Spam-Explained: words 4.0\r\n" + received + CONTENT
    (notice,) = notices(queued(handling=Handling(returned=returned)), FAILED, content)
    assert b"Received: from a.test" in notice.as_bytes()
    assert b"X-Spam" not in notice.as_bytes()
