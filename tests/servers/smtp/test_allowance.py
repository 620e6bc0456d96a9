"""Limits of an account, told as early as they are known."""

from dataclasses import replace

import pytest

from mailstack.model.instant import HOUR_MS
from mailstack.model.sending_limits import SPAN_MS, SendingLimits
from mailstack.servers.smtp.service import SmtpRole
from tests.servers.smtp.test_auth import log_in
from tests.support.smtp_world import ALICE, SmtpWorld, make_directory, serving

FULL = "452 4.7.1 This account has sent all that it may for now: 2 recipients an hour; more from 2023-11-14T..."
MAIL = "C: MAIL FROM:<alice@example.com>\nS: 250 2.1.0 Sender OK"


@pytest.fixture
def limited(world: SmtpWorld) -> SmtpWorld:
    limits = SendingLimits(recipients_per_hour=2, messages_per_day=5)
    world.accounts = make_directory(replace(ALICE, limits=limits))
    return world


async def test_recipients_beyond_the_limit_are_for_later(limited: SmtpWorld) -> None:
    async with serving(limited, SmtpRole.SUBMISSION):
        client = await limited.connect()
        await log_in(client)
        await client.play(f"""
            {MAIL}
            C: RCPT TO:<a@them.test>
            S: 250 2.1.5 Recipient OK
            C: RCPT TO:<nobody@example.com>
            S: 550 5.1.1 ...
            C: RCPT TO:<b@them.test>
            S: 250 2.1.5 Recipient OK
            C: RCPT TO:<c@them.test>
            S: {FULL}
            C: DATA
            S: 354 ...
            C: From: alice@example.com
            C:
            C: x
            C: .
            S: 250 2.0.0 OK ...
            C: MAIL FROM:<alice@example.com>
            S: {FULL}
            C: MAIL FROM:<>
            S: {FULL}
        """)
        limited.clock.advance(HOUR_MS + SPAN_MS)
        await client.play(MAIL)
        await client.close()
    (mail,) = limited.queue.mails
    assert mail.recipients == ("a@them.test", "b@them.test")


async def test_what_another_connection_has_sent_meanwhile_counts(limited: SmtpWorld) -> None:
    async with serving(limited, SmtpRole.SUBMISSION):
        one, other = await limited.connect(), await limited.connect()
        for client in (one, other):
            await log_in(client)
            await client.play(f"""
                {MAIL}
                C: RCPT TO:<a@them.test>
                S: 250 2.1.5 Recipient OK
                C: RCPT TO:<b@them.test>
                S: 250 2.1.5 Recipient OK
                C: DATA
                S: 354 ...
            """)
        message = "C: From: alice@example.com\nC:\nC: x\nC: .\n"
        await one.play(f"{message}S: 250 2.0.0 OK ...")
        await other.play(f"{message}S: {FULL}")
        for client in (one, other):
            await client.close()
    assert len(limited.queue.mails) == 1


async def test_what_strangers_bring_is_no_accounts(limited: SmtpWorld) -> None:
    async with serving(limited):
        client = await limited.connect()
        await client.play("S: 220 ...\nC: EHLO x\nS: 250-...\nS: 250 ENHANCEDSTATUSCODES")
        for _ in range(3):
            await client.play("C: MAIL FROM:<x@y.example>\nS: 250 ...\nC: RCPT TO:<alice@example.com>\nS: 250 ...")
            await client.play("C: RSET\nS: 250 ...")
        await client.close()
    assert await limited.submitted.spans(ALICE.account_id, since=limited.clock.now) == []
