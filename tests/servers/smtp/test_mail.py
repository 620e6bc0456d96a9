"""MAIL over a real connection. RFC 5321 §4.1.1.2, RFC 1870, RFC 6152, RFC 6531, RFC 4954 §5."""

import pytest

from tests.support.smtp_world import SmtpWorld, serving

GREETING = """
    S: 220 mail.example.com ESMTP
    C: EHLO client.example
    S: 250-...
    S: 250 ENHANCEDSTATUSCODES
"""


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("MAIL FROM:<x@y.example>", "250 2.1.0 Sender OK"),
        ("mail from:<x@y.example>", "250 2.1.0 Sender OK"),
        ("MAIL FROM:<>", "250 2.1.0 Sender OK"),
        ("MAIL FROM:<> SIZE=1000000 BODY=7BIT", "250 2.1.0 Sender OK"),
        ("MAIL FROM:<x@y.example> BODY=8bitmime SMTPUTF8 AUTH=<>", "250 2.1.0 Sender OK"),
        ("MAIL FROM:<dömi@bücher.example> SMTPUTF8", "250 2.1.0 Sender OK"),
        ("MAIL FROM:<dömi@bücher.example>", "553 5.6.7 Address needs SMTPUTF8"),
        ("MAIL FROM: <x@y.example>", "501 5.5.2 Syntax error"),
        ("MAIL FROM:x@y.example", "501 5.5.2 Syntax error"),
        ("MAIL", "501 5.5.2 Syntax error"),
        ("MAIL TO:<x@y.example>", "501 5.5.2 Syntax error"),
        ("MAIL FROM:<x@y..example>", "501 5.1.7 Bad sender address syntax"),
        ("MAIL FROM:<x@y.example> SIZE=", "501 5.1.7 Bad sender address syntax"),
        ("MAIL FROM:<x@y.example> SIZE=1000001", "552 5.3.4 Message too large"),
        ("MAIL FROM:<x@y.example> SIZE=x", "501 5.5.4 Invalid argument"),
        ("MAIL FROM:<x@y.example> SIZE=999999999999999999999", "501 5.5.4 Invalid argument"),
        ("MAIL FROM:<x@y.example> SIZE", "501 5.5.4 Invalid argument"),
        ("MAIL FROM:<x@y.example> BODY=BINARYMIME", "250 2.1.0 Sender OK"),
        ("MAIL FROM:<x@y.example> BODY=9BIT", "501 5.5.4 Invalid argument"),
        ("MAIL FROM:<x@y.example> RET=FULL ENVID=a+2Bb", "250 2.1.0 Sender OK"),
        ("MAIL FROM:<x@y.example> ret=hdrs", "250 2.1.0 Sender OK"),
        ("MAIL FROM:<x@y.example> RET=BODY", "501 5.5.4 Invalid argument"),
        ("MAIL FROM:<x@y.example> RET", "501 5.5.4 Invalid argument"),
        ("MAIL FROM:<x@y.example> RET=FULL RET=HDRS", "501 5.1.7 Bad sender address syntax"),
        ("MAIL FROM:<x@y.example> ENVID", "501 5.5.4 Invalid argument"),
        ("MAIL FROM:<x@y.example> ENVID=a+2b", "501 5.5.4 Invalid argument"),
        ("MAIL FROM:<x@y.example> ENVID=a+0D+0AX:", "501 5.5.4 Invalid argument"),
        (f"MAIL FROM:<x@y.example> ENVID={'a' * 101}", "501 5.5.4 Invalid argument"),
        ("MAIL FROM:<x@y.example> REQUIRETLS", "530 5.7.0 REQUIRETLS needs TLS: issue a STARTTLS command first"),
        ("MAIL FROM:<x@y.example> REQUIRETLS=1", "501 5.5.4 Invalid argument"),
        ("MAIL FROM:<x@y.example> SMTPUTF8=1", "501 5.5.4 Invalid argument"),
        ("MAIL FROM:<x@y.example> FROBNICATE", "555 5.5.4 Unknown parameter"),
    ],
)
async def test_mail(world: SmtpWorld, command: str, reply: str) -> None:
    async with serving(world):
        client = await world.connect()
        await client.play(f"{GREETING}\nC: {command}\nS: {reply}\nC: QUIT\nS: 221 2.0.0 Bye\nS: (closed)")
        await client.close()


async def test_mail_needs_a_greeting_and_no_transaction(world: SmtpWorld) -> None:
    async with serving(world):
        client = await world.connect()
        await client.play("""
            S: 220 mail.example.com ESMTP
            C: MAIL FROM:<x@y.example>
            S: 503 5.5.1 Bad sequence of commands
            C: HELO client.example
            S: 250 mail.example.com
            C: MAIL FROM:<x@y.example> SIZE=10
            S: 555 5.5.4 Unknown parameter
            C: MAIL FROM:<x@y.example>
            S: 250 2.1.0 Sender OK
            C: MAIL FROM:<x@y.example>
            S: 503 5.5.1 Bad sequence of commands
            C: RSET
            S: 250 2.0.0 OK
            C: MAIL FROM:<x@y.example>
            S: 250 2.1.0 Sender OK
            C: EHLO client.example
            S: 250-...
            S: 250 ENHANCEDSTATUSCODES
            C: MAIL FROM:<x@y.example>
            S: 250 2.1.0 Sender OK
        """)
        await client.close()


async def test_transactions_of_one_connection_are_counted(world: SmtpWorld) -> None:
    world.limit(transactions=2)
    async with serving(world):
        client = await world.connect()
        await client.play(GREETING)
        for _ in range(2):
            await client.play("C: MAIL FROM:<>\nS: 250 2.1.0 Sender OK\nC: RSET\nS: 250 2.0.0 OK")
        await client.play("C: MAIL FROM:<>\nS: 421 4.7.0 ...\nS: (closed)")
        await client.close()
