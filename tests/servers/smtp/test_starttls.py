"""STARTTLS and TLS from the first byte. RFC 3207, RFC 8314."""

import ssl

import pytest

from mailstack.servers.smtp.service import SmtpRole
from tests.support.dialogue import Client, connect
from tests.support.smtp_world import ALICE, HOSTNAME, SmtpWorld, serving

PLAIN_EHLO = """
    S: 220 mail.example.com ESMTP
    C: EHLO client.example
    S: 250-mail.example.com
    S: 250-SIZE 1000000
    S: 250-8BITMIME
    S: 250-SMTPUTF8
    S: 250-PIPELINING
    S: 250-CHUNKING
    S: 250-DSN
    S: 250-BINARYMIME
    S: 250-LIMITS RCPTMAX=100 MAILMAX=1000
    S: 250-ENHANCEDSTATUSCODES
    S: 250 STARTTLS
"""


async def shake_hands(client: Client, context: ssl.SSLContext) -> None:
    await client.writer.start_tls(context, server_hostname=HOSTNAME)


async def test_after_starttls_everything_begins_again(
    world: SmtpWorld, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    world.tls = server_tls
    async with serving(world):
        client = await world.connect()
        await client.play(PLAIN_EHLO)
        await client.play("""
            C: MAIL FROM:<x@y.example>
            S: 250 2.1.0 Sender OK
            C: STARTTLS
            S: 220 2.0.0 Ready to start TLS
        """)
        await shake_hands(client, client_tls)
        await client.play("""
            C: RCPT TO:<alice@example.com>
            S: 503 5.5.1 ...
            C: MAIL FROM:<x@y.example>
            S: 503 5.5.1 ...
            C: EHLO client.example
            S: 250-...
            S: 250 ENHANCEDSTATUSCODES
            C: STARTTLS
            S: 503 5.5.1 ...
            C: MAIL FROM:<x@y.example>
            S: 250 2.1.0 Sender OK
            C: RCPT TO:<alice@example.com>
            S: 250 2.1.5 ...
            C: DATA
            S: 354 ...
            C: x
            C: .
            S: 250 2.0.0 ...
            C: QUIT
            S: 221 ...
        """)
        await client.close()
    assert b"with ESMTPS id" in world.inbox(ALICE)[0]


async def test_starttls_buffering_what_was_sent_ahead_is_dropped(
    world: SmtpWorld, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    """CVE-2011-0411, CVE-2021-38542: plain text behind STARTTLS in one segment is not read as if it were protected."""
    world.tls = server_tls
    async with serving(world):
        client = await world.connect()
        await client.play(PLAIN_EHLO)
        await client.send(b"STARTTLS\r\nEHLO injected.example\r\nMAIL FROM:<evil@evil.example>\r\nNOOP")
        await client.play("S: 220 2.0.0 Ready to start TLS")
        await shake_hands(client, client_tls)
        await client.play("""
            C: MAIL FROM:<x@y.example>
            S: 503 5.5.1 Bad sequence of commands
            C: QUIT
            S: 221 ...
            S: (closed)
        """)
        await client.close()


@pytest.mark.parametrize(
    ("role", "hello", "ahead"),
    [
        (SmtpRole.SUBMISSION, "EHLO", b"AUTH PLAIN AGFsaWNlQGV4YW1wbGUuY29tAGNvcnJlY3QgaG9yc2U=\r\n"),
        (SmtpRole.SUBMISSION, "EHLO", b"AUTH PLAIN\r\nAGFsaWNlQGV4YW1wbGUuY29tAGNvcnJlY3QgaG9yc2U=\r\n"),
        (SmtpRole.LMTP, "LHLO", b"LHLO injected.example\r\nMAIL FROM:<evil@evil.example>\r\n"),
        (SmtpRole.MX, "EHLO", b"BDAT 4 LAST\r\nNOOP"),
    ],
)
async def test_starttls_buffering_nothing_sent_ahead_counts_for_any_service(
    world: SmtpWorld, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext, role: SmtpRole, hello: str, ahead: bytes
) -> None:
    world.tls = server_tls
    async with serving(world, role):
        client = await world.connect()
        await client.play(f"S: 220 ...\nC: {hello} client.example\nS: 250-...\nS: 250 ...")
        await client.send(b"STARTTLS\r\n" + ahead)
        await client.play("S: 220 2.0.0 Ready to start TLS")
        await shake_hands(client, client_tls)
        # Neither greeted nor logged in, nor has it a transaction; and the first answer is to what was sent first.
        await client.play("C: NOOP\nS: 250 2.0.0 ...\nC: MAIL FROM:<alice@example.com>\nS: 503 5.5.1 ...")
        await client.play(f"C: {hello} client.example\nS: 250-...\nS: 250 ...")
        if role is SmtpRole.SUBMISSION:
            await client.play("C: MAIL FROM:<alice@example.com>\nS: 530 5.7.0 Authentication required")
        await client.close()


async def test_a_handshake_that_fails_ends_the_connection(world: SmtpWorld, server_tls: ssl.SSLContext) -> None:
    world.tls = server_tls
    world.limit(handshake_s=5)
    async with serving(world):
        for tail in (b"this is no handshake\r\n" * 50, b""):
            client = await world.connect()
            await client.play(PLAIN_EHLO)
            await client.play("C: STARTTLS\nS: 220 ...")
            await client.send(tail)
            client.writer.write_eof()
            await client.reader.read()
            await client.close()
        client = await world.connect()
        await client.play(PLAIN_EHLO)
        await client.close()
        assert await world.connections.drain(grace_s=5) == 0


async def test_without_a_certificate_there_is_no_starttls(world: SmtpWorld) -> None:
    async with serving(world):
        client = await world.connect()
        await client.play("S: 220 ...\nC: STARTTLS\nS: 454 4.7.0 ...\nC: STARTTLS now\nS: 501 5.5.4 ...")
        await client.close()


async def test_tls_from_the_first_byte(
    world: SmtpWorld, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    world.tls = server_tls
    world.is_loopback_secure = False
    async with serving(world, SmtpRole.SUBMISSIONS, tls=server_tls):
        client = await connect("127.0.0.1", world.port, tls=client_tls, server_hostname=HOSTNAME)
        await client.play("""
            S: 220 mail.example.com ESMTP
            C: EHLO client.example
            S: 250-...
            S: 250 AUTH SCRAM-SHA-256 PLAIN LOGIN
            C: STARTTLS
            S: 503 5.5.1 ...
            C: QUIT
            S: 221 ...
            S: (closed)
        """)
        await client.close()
