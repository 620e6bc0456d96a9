"""RCPT over a real connection: who is taken, who is refused with which status. RFC 5321 §3.3, §4.1.1.3."""

import pytest

from tests.support.smtp_world import ALICE, BOB, SmtpWorld, serving

BEGIN = """
    S: 220 mail.example.com ESMTP
    C: EHLO client.example
    S: 250-...
    S: 250 ENHANCEDSTATUSCODES
    C: MAIL FROM:<x@y.example> SMTPUTF8
    S: 250 2.1.0 Sender OK
"""
OK = "250 2.1.5 Recipient OK"
UNKNOWN = "550 5.1.1 No such recipient here"
RELAY = "550 5.7.1 Delivery not authorised"


@pytest.mark.parametrize(
    ("path", "reply"),
    [
        ("<alice@example.com>", OK),
        ("<ALICE@Example.COM>", OK),
        ('<"alice"@example.com>', OK),
        ("<alice+any.thing@example.com>", OK),
        ("<a.example@example.com>", OK),
        ("<alice@example.net>", OK),
        ("<anyone@all.example>", OK),
        ("<both@example.com>", OK),
        ("<@relay.example:alice@example.com>", OK),
        ("<postmaster>", OK),
        ("<Postmaster@example.com>", OK),
        ("<nobody@example.com>", UNKNOWN),
        ("<+alice@example.com>", UNKNOWN),
        ("<nobody@example.net>", UNKNOWN),
        ("<noreply@example.com>", RELAY),
        ("<x@elsewhere.example>", RELAY),
        ("<x%elsewhere.example@example.com>", UNKNOWN),
        ("<alice@[127.0.0.1]>", RELAY),
        ("<alice@example.com> NOTIFY=NEVER", OK),
        ("<alice@example.com> notify=success,Failure,DELAY ORCPT=rfc822;a+2Bb@c.example", OK),
        ("<alice@example.com> NOTIFY=NEVER,DELAY", "501 5.5.4 Invalid argument"),
        ("<alice@example.com> NOTIFY=DELAY,DELAY", "501 5.5.4 Invalid argument"),
        ("<alice@example.com> NOTIFY=DELAY,", "501 5.5.4 Invalid argument"),
        ("<alice@example.com> NOTIFY", "501 5.5.4 Invalid argument"),
        ("<alice@example.com> ORCPT=alice@example.com", "501 5.5.4 Invalid argument"),
        ("<alice@example.com> ORCPT=rfc822;", "501 5.5.4 Invalid argument"),
        ("<alice@example.com> ORCPT=rfc822;a+0Ab", "501 5.5.4 Invalid argument"),
        ("<alice@example.com> ORCPT=utf-8;d\\x{F6}mi@x.example", OK),
        ("<alice@example.com> ORCPT=utf-8;dömi@x.example", OK),
        (f"<alice@example.com> ORCPT=rfc822;{'a' * 494}", "501 5.5.4 Invalid argument"),
        ("<alice@example.com> RET=FULL", "555 5.5.4 Unknown parameter"),
        ("<alice>", "501 5.1.3 Bad recipient address syntax"),
        ("<>", "501 5.1.3 Bad recipient address syntax"),
        ("alice@example.com", "501 5.5.2 Syntax error"),
        (" <alice@example.com>", "501 5.5.2 Syntax error"),
    ],
)
async def test_rcpt(world: SmtpWorld, path: str, reply: str) -> None:
    async with serving(world):
        client = await world.connect()
        await client.play(f"{BEGIN}\nC: RCPT TO:{path}\nS: {reply}")
        await client.close()


async def test_rcpt_needs_mail_and_data_needs_rcpt(world: SmtpWorld) -> None:
    async with serving(world):
        client = await world.connect()
        await client.play("""
            S: 220 mail.example.com ESMTP
            C: EHLO client.example
            S: 250-...
            S: 250 ENHANCEDSTATUSCODES
            C: RCPT TO:<alice@example.com>
            S: 503 5.5.1 Bad sequence of commands
            C: DATA
            S: 503 5.5.1 Bad sequence of commands
            C: MAIL FROM:<x@y.example>
            S: 250 2.1.0 Sender OK
            C: RCPT TO:<älice@example.com>
            S: 553 5.6.7 Address needs SMTPUTF8
            C: DATA
            S: 554 5.5.1 No valid recipients
        """)
        await client.close()


async def test_too_many_recipients_are_put_off(world: SmtpWorld) -> None:
    world.limit(recipients=2)
    async with serving(world):
        client = await world.connect()
        await client.play(BEGIN)
        await client.play("C: RCPT TO:<alice@example.com>\nS: 250 2.1.5 ...\n" * 2)
        await client.play("C: RCPT TO:<bob@example.com>\nS: 452 4.5.3 ...")
        await client.close()


async def test_guessing_recipients_ends_the_connection(world: SmtpWorld) -> None:
    world.limit(unknown_recipients=2)
    async with serving(world):
        client = await world.connect()
        await client.play(BEGIN)
        await client.play("C: RCPT TO:<no@example.com>\nS: 550 5.1.1 ...\n" * 2)
        await client.play("C: RCPT TO:<no@example.com>\nS: 421 4.7.0 ...\nS: (closed)")
        await client.close()


async def test_a_full_account_is_refused_before_its_mail_is_sent(world: SmtpWorld) -> None:
    assert BOB.quota_bytes is not None
    async with serving(world):
        client = await world.connect()
        await client.play(f"""
            {BEGIN}
            C: RSET
            S: 250 2.0.0 OK
            C: MAIL FROM:<x@y.example> SIZE={BOB.quota_bytes + 1}
            S: 250 2.1.0 Sender OK
            C: RCPT TO:<bob@example.com>
            S: 552 5.3.4 ...
            C: RCPT TO:<alice@example.com>
            S: 250 2.1.5 ...
            C: RSET
            S: 250 2.0.0 OK
            C: MAIL FROM:<x@y.example>
            S: 250 2.1.0 Sender OK
            C: RCPT TO:<bob@example.com>
            S: 250 2.1.5 ...
            C: DATA
            S: 354 ...
            C: {"x" * (BOB.quota_bytes // 2)}
            C: .
            S: 250 2.0.0 OK ...
            C: MAIL FROM:<x@y.example> SIZE={BOB.quota_bytes // 2}
            S: 250 2.1.0 Sender OK
            C: RCPT TO:<bob@example.com>
            S: 452 4.2.2 Mailbox full
        """)
        await client.close()
    assert len(world.inbox(BOB)) == 1
    assert world.inbox(ALICE) == []
