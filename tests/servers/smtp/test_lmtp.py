"""LMTP over a real connection: each recipient's reply is true. RFC 2033 §4."""

import re

import pytest

from mailstack.model.errors import QuotaExceeded, TryAgainLater
from mailstack.servers.smtp.lmtp import is_local
from mailstack.servers.smtp.service import SmtpRole
from tests.support.dialogue import Client
from tests.support.smtp_world import ALICE, BOB, SmtpWorld, serving

BEGIN = """
    S: 220 mail.example.com LMTP
    C: LHLO client.example
    S: 250-...
    S: 250 ENHANCEDSTATUSCODES
    C: MAIL FROM:<x@y.example>
    S: 250 2.1.0 Sender OK
    C: RCPT TO:<alice@example.com>
    S: 250 2.1.5 Recipient OK
    C: RCPT TO:<nobody@example.com>
    S: 550 5.1.1 No such recipient here
    C: RCPT TO:<bob@example.com>
    S: 250 2.1.5 Recipient OK
"""


async def begun(world: SmtpWorld) -> Client:
    client = await world.connect()
    await client.play(BEGIN)
    return client


async def test_every_accepted_recipient_has_a_reply_in_order_and_a_copy(world: SmtpWorld) -> None:
    async with serving(world, SmtpRole.LMTP):
        client = await begun(world)
        await client.play(
            "C: DATA\nS: 354 ...\nC: x\nC: .\nS: 250 2.1.5 OK ...\nS: 250 2.1.5 OK ...\nC: QUIT\nS: 221 ..."
        )
        await client.close()
    assert (len(world.inbox(ALICE)), len(world.inbox(BOB))) == (1, 1)
    assert b"with LMTP id" in world.inbox(ALICE)[0]


async def test_one_that_cannot_be_stored_is_told_for_that_one_only(world: SmtpWorld) -> None:
    world.messages.faults[ALICE.account_id] = QuotaExceeded("full")
    world.messages.faults[BOB.account_id] = TryAgainLater("busy")
    async with serving(world, SmtpRole.LMTP):
        client = await begun(world)
        await client.play("C: DATA\nS: 354 ...\nC: x\nC: .\nS: 452 4.2.2 Mailbox full\nS: 250 2.1.5 OK ...")
        await client.close()
    # What is busy is durable in the queue.
    assert [mail.recipients for mail in world.queue.mails] == [("bob@example.com",)]


async def test_where_nothing_is_durable_nobody_hears_250(world: SmtpWorld) -> None:
    world.queue.is_broken = True
    world.messages.faults[BOB.account_id] = TryAgainLater("busy")
    async with serving(world, SmtpRole.LMTP):
        client = await begun(world)
        await client.play(
            "C: DATA\nS: 354 ...\nC: x\nC: .\nS: 250 2.1.5 OK ...\nS: 451 4.3.0 ...\nC: NOOP\nS: 250 2.0.0 OK"
        )
        await client.close()
    assert (len(world.inbox(ALICE)), len(world.inbox(BOB))) == (1, 0)


async def test_a_bad_message_is_refused_for_each(world: SmtpWorld) -> None:
    async with serving(world, SmtpRole.LMTP):
        client = await begun(world)
        await client.play(r"""
            C: DATA
            S: 354 ...
            C| a\nb\r\n.\r\n
            S: 550 5.6.11 ...
            S: 550 5.6.11 ...
            C: NOOP
            S: 250 2.0.0 OK
        """)
        await client.close()


async def test_chunks_have_one_reply_each_and_the_last_one_for_each_recipient(world: SmtpWorld) -> None:
    async with serving(world, SmtpRole.LMTP):
        client = await begun(world)
        await client.play(r"""
            C| BDAT 3\r\na\r\nBDAT 3 LAST\r\nb\r\n
            S: 250 2.0.0 3 octets received
            S: 250 2.1.5 OK ...
            S: 250 2.1.5 OK ...
        """)
        await client.close()
    assert world.inbox(BOB)[0].endswith(b"\r\na\r\nb\r\n")


async def test_a_message_for_nobody_is_out_of_sequence_however_often(world: SmtpWorld) -> None:
    """RFC 2033 §4.2. Clients send DATA ahead of the replies to RCPT, as RFC 2920 §3.1 lets them."""
    world.limit(bad_commands=2)
    async with serving(world, SmtpRole.LMTP):
        client = await world.connect()
        await client.play("S: 220 ...\nC: LHLO client.example\nS: 250-...\nS: 250 ENHANCEDSTATUSCODES")
        for command in ("DATA\\r\\n", "DATA\\r\\n", r"BDAT 6 LAST\r\nNOOP\r\n"):
            await client.play("C: MAIL FROM:<x@y.example>\nS: 250 ...\nC: RCPT TO:<nobody@example.com>\nS: 550 ...")
            await client.play(f"C| {command}\nS: 503 5.5.1 ...\nC: RSET\nS: 250 ...")
        await client.close()


async def test_whoever_hands_mail_over_may_ask_to_hear_of_its_arrival(world: SmtpWorld) -> None:
    """RFC 3461 §5.2.7: it will tell of none itself, as we offer to."""
    async with serving(world, SmtpRole.LMTP):
        client = await world.connect()
        await client.play("S: 220 ...\nC: LHLO client.example\nS: 250-...\nS: 250 ENHANCEDSTATUSCODES")
        await client.play("C: MAIL FROM:<x@y.example>\nS: 250 ...")
        await client.play("C: RCPT TO:<alice@example.com> NOTIFY=SUCCESS\nS: 250 ...")
        await client.play("C: RCPT TO:<bob@example.com> NOTIFY=SUCCESS\nS: 250 ...")
        await client.play("C: DATA\nS: 354 ...\nC: x\nC: .\nS: 250 2.1.5 OK ...\nS: 250 2.1.5 OK ...")
        await client.close()
    notices = world.queue.mails
    assert [notice.recipients for notice in notices] == [("x@y.example",)] * 2
    assert all(b"Action: delivered" in bytes(notice.raw) for notice in notices)
    # Or the second would be taken for the first, come again.
    ids = {re.search(rb"\r\nMessage-ID: (.*)\r\n", bytes(notice.raw)) for notice in notices}
    assert len({found[1] for found in ids if found is not None}) == 2


@pytest.mark.parametrize(("word", "code"), [("EHLO x.example", 500), ("HELO x.example", 500), ("AUTH PLAIN", 500)])
async def test_the_words_of_smtp_are_none_of_lmtp(world: SmtpWorld, word: str, code: int) -> None:
    async with serving(world, SmtpRole.LMTP):
        client = await world.connect()
        await client.play(f"S: 220 mail.example.com LMTP\nC: {word}\nS: {code} ...")
        await client.close()


@pytest.mark.parametrize(
    ("peer", "is_let_in"),
    [("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("192.0.2.1", False), ("10.0.0.1", False), ("", False)],
)
def test_only_this_machine_is_let_in(peer: str, is_let_in: bool) -> None:
    assert is_local(peer) is is_let_in
