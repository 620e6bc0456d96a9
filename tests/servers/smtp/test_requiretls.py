"""REQUIRETLS over real connections: where it is offered, and that all that comes of a mail keeps it. RFC 8689 §2, §4.1,
§5, §6."""

import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from mailstack.model.errors import TryAgainLater
from mailstack.model.handling import PLAIN, Handling
from mailstack.model.principal import Forward, Posters
from mailstack.servers.smtp.service import SmtpRole
from tests.support.dialogue import Client
from tests.support.mailing_lists import make_list
from tests.support.memory_accounts import make_account
from tests.support.smtp_world import ALICE, BOB, HOSTNAME, PASSWORD, SmtpWorld, serving

REQUIRETLS = Handling(requires_tls=True)
SENT_ON = make_account("on@example.com", forward=Forward(targets=("on@elsewhere.example",), keep=True))
TEAM = make_list("team@example.com", "member@elsewhere.example", post=Posters.ANYONE)
ROLES = [(SmtpRole.MX, "EHLO"), (SmtpRole.SUBMISSION, "EHLO"), (SmtpRole.LMTP, "LHLO")]


@pytest.fixture
def world(server_tls: ssl.SSLContext) -> SmtpWorld:
    world = SmtpWorld(tls=server_tls)
    world.accounts.put(SENT_ON)
    world.accounts.owners[TEAM.address] = TEAM
    return world


async def offered(client: Client, hello: str) -> set[str]:
    await client.play(f"C: {hello} client.example")
    return {line[4:] for line in await client.reply()}


@asynccontextmanager
async def protected(world: SmtpWorld, context: ssl.SSLContext) -> AsyncIterator[Client]:
    """After STARTTLS."""
    client = await world.connect()
    await client.play("S: 220 ...\nC: EHLO client.example\nS: 250-...\nS: 250 ...\nC: STARTTLS\nS: 220 ...")
    await client.writer.start_tls(context, server_hostname=HOSTNAME)
    await client.play("C: EHLO client.example\nS: 250-...\nS: 250 ...")
    try:
        yield client
    finally:
        await client.close()


async def hand_over(client: Client, parameters: str, *recipients: str, sender: str = "x@y.example") -> None:
    await client.play(f"C: MAIL FROM:<{sender}>{parameters}\nS: 250 ...")
    for recipient in recipients:
        await client.play(f"C: RCPT TO:<{recipient}>\nS: 250 ...")
    await client.play("C: DATA\nS: 354 ...")
    await client.play(f"C: From: {sender}\nC: Subject: hi\nC:\nC: body\nC: .\nS: 250 2.0.0 OK ...")


def queued(world: SmtpWorld) -> dict[tuple[str, ...], Handling]:
    return {mail.recipients: mail.handling for mail in world.queue.mails}


@pytest.mark.parametrize(("role", "hello"), ROLES)
async def test_it_is_offered_under_tls_alone(
    world: SmtpWorld, client_tls: ssl.SSLContext, role: SmtpRole, hello: str
) -> None:
    async with serving(world, role):
        client = await world.connect()
        await client.play("S: 220 ...")
        assert "REQUIRETLS" not in await offered(client, hello)
        await client.play("C: STARTTLS\nS: 220 ...")
        await client.writer.start_tls(client_tls, server_hostname=HOSTNAME)
        assert "REQUIRETLS" in await offered(client, hello)
        await client.close()


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("MAIL FROM:<x@y.example> REQUIRETLS", "250 2.1.0 Sender OK"),
        ("MAIL FROM:<> requiretls RET=FULL", "250 2.1.0 Sender OK"),
        ("MAIL FROM:<x@y.example> REQUIRETLS=", "501 5.1.7 Bad sender address syntax"),
        ("MAIL FROM:<x@y.example> REQUIRETLS=YES", "501 5.5.4 Invalid argument"),
        ("MAIL FROM:<x@y.example> REQUIRETLS REQUIRETLS", "501 5.1.7 Bad sender address syntax"),
    ],
)
async def test_the_parameter_has_no_value(
    world: SmtpWorld, client_tls: ssl.SSLContext, command: str, reply: str
) -> None:
    async with serving(world), protected(world, client_tls) as client:
        await client.play(f"C: {command}\nS: {reply}")


async def test_it_is_a_parameter_of_mail_alone(world: SmtpWorld, client_tls: ssl.SSLContext) -> None:
    async with serving(world), protected(world, client_tls) as client:
        await client.play(
            "C: MAIL FROM:<x@y.example>\nS: 250 ...\nC: RCPT TO:<alice@example.com> REQUIRETLS\nS: 555 ..."
        )


async def test_what_was_said_before_tls_does_not_count_after_it(world: SmtpWorld, client_tls: ssl.SSLContext) -> None:
    async with serving(world):
        client = await world.connect()
        await client.play("S: 220 ...\nC: EHLO client.example\nS: 250-...\nS: 250 STARTTLS")
        await client.play("C: MAIL FROM:<x@y.example> REQUIRETLS\nS: 530 5.7.0 ...\nC: STARTTLS\nS: 220 ...")
        await client.writer.start_tls(client_tls, server_hostname=HOSTNAME)
        await client.play("C: EHLO client.example\nS: 250-...\nS: 250 ...")
        await hand_over(client, "", "away@example.com")
        await client.close()
    assert queued(world) == {("friend@elsewhere.example",): PLAIN}


@pytest.mark.parametrize(("parameters", "expected"), [(" REQUIRETLS", REQUIRETLS), ("", PLAIN)])
async def test_what_aliases_accounts_and_lists_send_on_keeps_it(
    world: SmtpWorld, client_tls: ssl.SSLContext, parameters: str, expected: Handling
) -> None:
    async with serving(world), protected(world, client_tls) as client:
        await hand_over(client, parameters, "away@example.com", SENT_ON.login, TEAM.address)
    assert queued(world) == {
        ("friend@elsewhere.example",): expected,
        ("on@elsewhere.example",): expected,
        ("member@elsewhere.example",): expected,
    }
    assert len(world.inbox(SENT_ON)) == 1


async def test_of_the_envelope_a_list_keeps_nothing_else(world: SmtpWorld, client_tls: ssl.SSLContext) -> None:
    async with serving(world), protected(world, client_tls) as client:
        await hand_over(client, " REQUIRETLS RET=FULL ENVID=Q1", TEAM.address)
    assert queued(world) == {("member@elsewhere.example",): REQUIRETLS}


async def test_a_mail_that_waits_for_a_mailbox_keeps_it(world: SmtpWorld, client_tls: ssl.SSLContext) -> None:
    world.messages.faults[BOB.account_id] = TryAgainLater("busy")
    async with serving(world), protected(world, client_tls) as client:
        await hand_over(client, " REQUIRETLS", BOB.login)
    assert queued(world) == {(BOB.login,): REQUIRETLS}


async def test_it_can_be_asked_of_submission_and_a_notice_of_success_keeps_it(
    world: SmtpWorld, client_tls: ssl.SSLContext
) -> None:
    async with serving(world, SmtpRole.SUBMISSION), protected(world, client_tls) as client:
        login = base64.b64encode(f"\0{ALICE.login}\0{PASSWORD}".encode()).decode()
        await client.play(f"C: AUTH PLAIN {login}\nS: 235 ...\nC: MAIL FROM:<{ALICE.login}> REQUIRETLS\nS: 250 ...")
        await client.play("C: RCPT TO:<bob@example.com> NOTIFY=SUCCESS\nS: 250 ...")
        await client.play("C: RCPT TO:<b@elsewhere.example>\nS: 250 ...\nC: DATA\nS: 354 ...")
        await client.play(f"C: From: {ALICE.login}\nC: TLS-Required: No\nC:\nC: body\nC: .\nS: 250 2.0.0 OK ...")
    assert queued(world) == {("b@elsewhere.example",): REQUIRETLS, (ALICE.login,): REQUIRETLS}
    onward, notice = world.queue.mails
    # RFC 8689 §4.1: the field is ignored, and may go on.
    assert b"\r\nTLS-Required: No\r\n" in bytes(onward.raw)
    assert not bytes(notice.raw).partition(b"\r\n\r\n")[0].count(b"TLS-Required")


async def test_the_field_goes_on_with_all_copies(world: SmtpWorld) -> None:
    async with serving(world):
        client = await world.connect()
        await client.play(
            "S: 220 ...\nC: EHLO client.example\nS: 250-...\nS: 250 ...\nC: MAIL FROM:<x@y.example>\nS: 250 ..."
        )
        for recipient in ("away@example.com", SENT_ON.login, TEAM.address):
            await client.play(f"C: RCPT TO:<{recipient}>\nS: 250 ...")
        await client.play("C: DATA\nS: 354 ...\nC: From: x@y.example\nC: TLS-Required: No\nC:\nC: b\nC: .\nS: 250 ...")
        await client.close()
    assert [bytes(mail.raw).count(b"\r\nTLS-Required: No\r\n") for mail in world.queue.mails] == [1, 1, 1]
