"""Whether senders hear that their mail arrived, over a real connection. RFC 3461 §4.1, §5.2, §6."""

import pytest

from mailstack.model.handling import Notification, NotifyOn, Returned
from mailstack.servers.smtp.service import SmtpRole
from tests.support.dialogue import Client
from tests.support.smtp_world import ALICE, PASSWORD, SmtpWorld, serving

LOG_IN = """
    S: 220 mail.example.com ESMTP
    C: EHLO client.example
    S: 250-...
    S: 250 AUTH ...
    C: AUTH PLAIN AGFsaWNlQGV4YW1wbGUuY29tAGNvcnJlY3QgaG9yc2U=
    S: 235 ...
"""
STRANGER = """
    S: 220 mail.example.com ESMTP
    C: EHLO client.example
    S: 250-...
    S: 250 ENHANCEDSTATUSCODES
"""
CONTENT = "C: DATA\nS: 354 ...\nC: From: alice@example.com\nC:\nC: secret\nC: .\nS: 250 2.0.0 OK ..."


async def send(world: SmtpWorld, role: SmtpRole, opening: str, *commands: str) -> None:
    async with serving(world, role):
        client: Client = await world.connect()
        await client.play(opening)
        for command in commands:
            await client.play(f"C: {command}\nS: 250 ...")
        await client.play(CONTENT)
        await client.close()


async def test_an_account_that_asks_hears_of_success_and_of_no_more_than_the_header(world: SmtpWorld) -> None:
    assert PASSWORD == "correct horse"
    await send(
        world,
        SmtpRole.SUBMISSION,
        LOG_IN,
        "MAIL FROM:<alice@example.com> ENVID=a+2Bb RET=FULL",
        "RCPT TO:<bob@example.com> NOTIFY=SUCCESS ORCPT=rfc822;bob+2Bx@example.com",
        "RCPT TO:<alice@example.com>",
    )
    (notice,) = world.queue.mails
    raw = bytes(notice.raw)
    assert (notice.reverse_path, notice.recipients) == ("", ("alice@example.com",))
    assert b"Original-Envelope-Id: a+b\r\n" in raw
    assert b"Original-Recipient: rfc822; bob+x@example.com\r\n" in raw
    assert b"Final-Recipient: rfc822; bob@example.com\r\nAction: delivered\r\nStatus: 2.1.5\r\n" in raw
    assert b"secret" not in raw
    assert raw.count(b"Final-Recipient") == 1


@pytest.mark.parametrize(
    ("recipient", "notify", "action", "left"),
    [
        ("bob@example.com", "SUCCESS", b"delivered", []),
        ("both@example.com", "SUCCESS", b"delivered", []),  # an alias, both of whom have it
        ("away@example.com", "SUCCESS,FAILURE", b"expanded", [NotifyOn.FAILURE]),  # RFC 3464 §2.3.3
        ("away@example.com", "SUCCESS", b"expanded", []),
    ],
)
async def test_of_an_address_that_becomes_several_success_is_told_once(
    world: SmtpWorld, recipient: str, notify: str, action: bytes, left: list[NotifyOn]
) -> None:  # RFC 3461 §5.2.7
    await send(
        world,
        SmtpRole.SUBMISSION,
        LOG_IN,
        "MAIL FROM:<alice@example.com>",
        f"RCPT TO:<{recipient}> NOTIFY={notify} ORCPT=rfc822;{recipient}",
    )
    *onward, notice = world.queue.mails
    assert b"\r\nFinal-Recipient: rfc822; %b\r\nAction: %b\r\n" % (recipient.encode(), action) in bytes(notice.raw)
    assert [mail.notifications["friend@elsewhere.example"].notify_on for mail in onward] == (
        [frozenset(left)] if action == b"expanded" else []
    )


async def test_a_stranger_nobody_vouches_for_hears_of_no_success(world: SmtpWorld) -> None:
    await send(world, SmtpRole.MX, STRANGER, "MAIL FROM:<x@y.example>", "RCPT TO:<alice@example.com> NOTIFY=SUCCESS")
    assert len(world.inbox(ALICE)) == 1
    assert world.queue.mails == []


async def test_a_notice_is_never_told_of(world: SmtpWorld) -> None:
    await send(world, SmtpRole.SUBMISSION, LOG_IN, "MAIL FROM:<>", "RCPT TO:<bob@example.com> NOTIFY=SUCCESS")
    assert world.queue.mails == []


async def test_what_is_asked_goes_into_the_queue_with_the_mail(world: SmtpWorld) -> None:
    await send(
        world,
        SmtpRole.SUBMISSION,
        LOG_IN,
        "MAIL FROM:<alice@example.com> ENVID=a+2Bb RET=HDRS",
        "RCPT TO:<f@elsewhere.example> NOTIFY=SUCCESS,DELAY",
        "RCPT TO:<g@elsewhere.example> NOTIFY=NEVER",
        "RCPT TO:<h@elsewhere.example>",
    )
    items = await world.queue.waiting()
    assert [item.notification for item in items] == [
        Notification(notify_on=frozenset({NotifyOn.SUCCESS, NotifyOn.DELAY})),
        Notification(notify_on=frozenset()),
        Notification(),
    ]
    assert {(item.handling.envelope_id, item.handling.returned) for item in items} == {("a+2Bb", Returned.HEADERS)}


async def test_a_full_queue_does_not_bring_a_stored_mail_a_second_time(world: SmtpWorld) -> None:
    world.queue.is_broken = True
    await send(
        world,
        SmtpRole.SUBMISSION,
        LOG_IN,
        "MAIL FROM:<alice@example.com>",
        "RCPT TO:<alice@example.com> NOTIFY=SUCCESS",
    )
    assert len(world.inbox(ALICE)) == 1
