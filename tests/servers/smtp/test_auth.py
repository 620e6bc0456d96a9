"""AUTH and what it opens: submission. RFC 4954, RFC 6409, RFC 4616."""

import ssl
from base64 import b64encode
from dataclasses import replace

import pytest

from mailstack.model.app_password import AppService
from mailstack.model.principal import Ability
from mailstack.servers.smtp.service import SmtpRole
from mailstack.services.identity.passwords import HashCost, hash_password
from tests.support.app_passwords import app_password_for
from tests.support.dialogue import Client
from tests.support.places import part_with_newest
from tests.support.smtp_world import ALICE, HOSTNAME, PASSWORD, SmtpWorld, serving
from tests.support.wakes import eventually

GREETING = """
    S: 220 mail.example.com ESMTP
    C: EHLO client.example
    S: 250-...
    S: 250 AUTH SCRAM-SHA-256 PLAIN LOGIN
"""
INVALID = "535 5.7.8 Authentication credentials invalid"


def plain(username: str, password: str = PASSWORD, authzid: str = "") -> str:
    return b64encode(f"{authzid}\0{username}\0{password}".encode()).decode()


def b64(text: str) -> str:
    return b64encode(text.encode()).decode()


async def log_in(client: Client) -> None:
    await client.play(f"{GREETING}\nC: AUTH PLAIN {plain('alice@example.com')}\nS: 235 2.7.0 Authenticated")


async def test_an_app_password_for_submission_does(world: SmtpWorld) -> None:
    _, text = await app_password_for(world.app_passwords, ALICE.account_id, AppService.SUBMISSION)
    _, other = await app_password_for(world.app_passwords, ALICE.account_id, AppService.IMAP)
    async with serving(world, SmtpRole.SUBMISSION):
        client = await world.connect()
        await client.play(f"""{GREETING}
            C: AUTH PLAIN {plain("alice@example.com", other)}
            S: {INVALID}
            C: AUTH PLAIN {plain("alice@example.com", text)}
            S: 235 2.7.0 Authenticated
        """)
        await client.close()


@pytest.mark.parametrize("what", ["app password", "password", "ability"])
async def test_who_may_not_send_any_more_sends_nothing_more(world: SmtpWorld, what: str) -> None:
    one, text = await app_password_for(world.app_passwords, ALICE.account_id)
    async with serving(world, SmtpRole.SUBMISSION):
        client = await world.connect()
        await client.play(f"""{GREETING}
            C: AUTH PLAIN {plain("alice@example.com", text if what == "app password" else PASSWORD)}
            S: 235 2.7.0 Authenticated
            C: MAIL FROM:<alice@example.com>
            S: 250 2.1.0 ...
            C: RSET
            S: 250 ...
        """)
        match what:
            case "app password":
                await world.app_passwords.revoke(ALICE.account_id, one.app_password_id)
            case "password":
                world.accounts.put(replace(ALICE, password_hash=hash_password("another", cost=HashCost.LOW)))
            case "ability":
                world.accounts.put(replace(ALICE, abilities=frozenset({Ability.READ})))
        await client.play("C: MAIL FROM:<alice@example.com>\nS: 530 5.7.0 Authentication required")
        await client.close()


@pytest.mark.parametrize(
    "dialogue",
    [
        f"C: AUTH PLAIN {plain('alice@example.com')}\nS: 235 2.7.0 Authenticated",
        f"C: auth plain {plain('Alice@Example.com')}\nS: 235 2.7.0 Authenticated",
        f"C: AUTH PLAIN {plain('alice')}\nS: 235 2.7.0 Authenticated",
        f"C: AUTH PLAIN {plain('alice@example.com', authzid='alice@example.com')}\nS: 235 2.7.0 Authenticated",
        f"C: AUTH PLAIN\nS: 334 ...\nC: {plain('alice@example.com')}\nS: 235 2.7.0 Authenticated",
        f"C: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC: {b64('alice')}\nS: 334 UGFzc3dvcmQ6\nC: {b64(PASSWORD)}\nS: 235 ...",
        f"C: AUTH LOGIN {b64('alice@example.com')}\nS: 334 UGFzc3dvcmQ6\nC: {b64(PASSWORD)}\nS: 235 2.7.0 ...",
        f"C: AUTH PLAIN {plain('alice@example.com', 'wrong')}\nS: {INVALID}",
        f"C: AUTH PLAIN {plain('nobody@example.com')}\nS: {INVALID}",
        f"C: AUTH PLAIN {plain('both@example.com')}\nS: {INVALID}",
        f"C: AUTH PLAIN {plain('bob@example.com', '')}\nS: {INVALID}",
        f"C: AUTH LOGIN\nS: 334 ...\nC: {b64('alice')}\nS: 334 ...\nC: {b64('no')}\nS: {INVALID}",
        "C: AUTH\nS: 501 5.5.4 ...",
        "C: AUTH CRAM-MD5\nS: 504 5.5.4 ...",
        "C: AUTH PLAIN ****\nS: 501 5.5.2 ...",
        "C: AUTH PLAIN =\nS: 535 5.7.8 ...",
        "C: AUTH PLAIN\nS: 334 ...\nC: *\nS: 501 5.7.0 Authentication cancelled",
        "C: AUTH LOGIN\nS: 334 ...\nC: no base64\nS: 501 5.5.2 ...",
    ],
)
async def test_auth(world: SmtpWorld, dialogue: str) -> None:
    async with serving(world, SmtpRole.SUBMISSION):
        client = await world.connect()
        await client.play(f"{GREETING}\n{dialogue}\nC: NOOP\nS: 250 2.0.0 OK")
        await client.close()


async def test_auth_bypass_an_authorisation_identity_of_somebody_else_is_refused(world: SmtpWorld) -> None:
    """CVE-2023-27582."""
    async with serving(world, SmtpRole.SUBMISSION):
        client = await world.connect()
        await client.play(f"""
            {GREETING}
            C: AUTH PLAIN {plain("alice@example.com", authzid="bob@example.com")}
            S: {INVALID}
            C: MAIL FROM:<bob@example.com>
            S: 530 5.7.0 Authentication required
        """)
        await client.close()


async def test_auth_is_for_one_session_once_and_not_within_a_transaction(world: SmtpWorld) -> None:
    async with serving(world, SmtpRole.SUBMISSION):
        client = await world.connect()
        await client.play("S: 220 ...\nC: AUTH PLAIN\nS: 503 5.5.1 ...\nC: HELO x\nS: 250 mail.example.com")
        await client.play("C: AUTH PLAIN\nS: 503 5.5.1 ...")
        await client.close()
        client = await world.connect()
        await log_in(client)
        await client.play(f"C: AUTH PLAIN {plain('alice@example.com')}\nS: 503 5.5.1 ...")
        await client.play("C: EHLO again.example\nS: 250-...\nS: 250 ENHANCEDSTATUSCODES")
        await client.close()


async def test_failed_logins_are_few_for_each_connection(world: SmtpWorld) -> None:
    world.limit(failed_logins=2)
    async with serving(world, SmtpRole.SUBMISSION):
        client = await world.connect()
        await client.play(GREETING)
        await client.play(f"C: AUTH PLAIN {plain('alice@example.com', 'wrong')}\nS: {INVALID}\n" * 2)
        await client.play(f"C: AUTH PLAIN {plain('alice@example.com')[:-4]}AAAA\nS: 421 4.7.0 ...\nS: (closed)")
        await client.close()


async def test_one_account_has_only_so_many_connections(world: SmtpWorld) -> None:
    world.limit(connections_per_ip=1, connections_per_account=2)
    async with serving(world, SmtpRole.SUBMISSION):
        clients = []
        for _ in range(2):
            clients.append(await world.connect())
            await log_in(clients[-1])  # and is not counted for the address any more
        third = await world.connect()
        await third.play(f"{GREETING}\nC: AUTH PLAIN {plain('alice@example.com')}")
        await third.play(
            "S: 421 4.7.0 Too many connections of this account, close one and try again\nS: (closed)",
        )
        await third.close()
        await clients[0].play("C: QUIT\nS: 221 ...\nS: (closed)")
        await eventually(lambda: len(world.connections) == 1)
        fourth = await world.connect()
        await log_in(fourth)
        for client in (*clients, fourth):
            await client.close()


async def test_one_of_too_many_connections_of_an_account_is_told_so(world: SmtpWorld) -> None:
    async with serving(world, SmtpRole.SUBMISSION):
        clients = [await world.connect() for _ in range(2)]
        for client in clients:
            await log_in(client)
        part_with_newest(world.entrance.accounts, 1)
        await clients[1].play(
            "S: 421 4.7.0 Too many connections of this account, close one and try again\nS: (closed)",
        )
        await clients[0].play("C: QUIT\nS: 221 ...\nS: (closed)")
        for client in clients:
            await client.close()


async def test_without_tls_nothing_secret_is_offered_or_taken(
    world: SmtpWorld, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    world.tls = server_tls
    world.is_loopback_secure = False
    async with serving(world, SmtpRole.SUBMISSION):
        client = await world.connect()
        await client.play(f"""
            S: 220 mail.example.com ESMTP
            C: EHLO client.example
            S: 250-...
            S: 250 STARTTLS
            C: AUTH PLAIN {plain("alice@example.com")}
            S: 530 5.7.0 Must issue a STARTTLS command first
            C: MAIL FROM:<alice@example.com>
            S: 530 5.7.0 Must issue a STARTTLS command first
            C: STARTTLS
            S: 220 ...
        """)
        await client.writer.start_tls(client_tls, server_hostname=HOSTNAME)
        await client.play(f"""
            C: EHLO client.example
            S: 250-...
            S: 250 AUTH SCRAM-SHA-256 PLAIN LOGIN
            C: AUTH PLAIN {plain("alice@example.com")}
            S: 235 2.7.0 Authenticated
            C: MAIL FROM:<alice@example.com>
            S: 250 2.1.0 Sender OK
        """)
        await client.close()


async def test_the_mx_takes_no_logins(world: SmtpWorld) -> None:
    async with serving(world):
        client = await world.connect()
        await client.play(
            "S: 220 ...\nC: EHLO x\nS: 250-...\nS: 250 ENHANCEDSTATUSCODES\nC: AUTH PLAIN\nS: 502 5.5.1 ..."
        )
        await client.close()


async def test_a_login_submits_to_us_and_to_the_world(world: SmtpWorld) -> None:
    async with serving(world, SmtpRole.SUBMISSION):
        client = await world.connect()
        await client.play("S: 220 ...\nC: EHLO x\nS: 250-...\nS: 250 AUTH ...")
        await client.play("C: MAIL FROM:<alice@example.com>\nS: 530 5.7.0 Authentication required")
        await client.play(f"""
            C: AUTH PLAIN {plain("alice@example.com")}
            S: 235 2.7.0 Authenticated
            C: MAIL FROM:<bob@example.com>
            S: 553 5.7.1 Sender address is not yours
            C: MAIL FROM:<a.example@example.com>
            S: 250 2.1.0 Sender OK
            C: RCPT TO:<nobody@example.com>
            S: 550 5.1.1 ...
            C: RCPT TO:<alice+self@example.com>
            S: 250 2.1.5 ...
            C: RCPT TO:<friend@elsewhere.example>
            S: 250 2.1.5 ...
            C: RCPT TO:<postmaster>
            S: 250 2.1.5 ...
            C: DATA
            S: 354 ...
            C: From: Alice <alice@example.com>
            C: To: friend@elsewhere.example
            C: Subject: hello
            C:
            C: body
            C: .
            S: 250 2.0.0 OK ...
        """)
        await client.close()
    (own,) = world.inbox(ALICE)
    assert b"with ESMTPA id" in own
    (mail,) = world.queue.mails
    assert mail.recipients == ("friend@elsewhere.example",)
    assert bytes(mail.raw).startswith(b"Received: from x ")


async def test_a_header_in_another_name_is_refused_after_data(world: SmtpWorld) -> None:
    async with serving(world, SmtpRole.SUBMISSION):
        client = await world.connect()
        await log_in(client)
        await client.play("""
            C: MAIL FROM:<alice@example.com>
            S: 250 2.1.0 Sender OK
            C: RCPT TO:<friend@elsewhere.example>
            S: 250 2.1.5 ...
            C: DATA
            S: 354 ...
            C: From: bob@example.com
            C:
            C: .
            S: 553 5.7.1 Sender address is not yours
        """)
        await client.close()
    assert world.queue.mails == []


async def test_no_password_is_logged(world: SmtpWorld, logged: list[dict[str, object]]) -> None:
    async with serving(world, SmtpRole.SUBMISSION):
        client = await world.connect()
        await client.play(GREETING)
        for password in ("hunter2-wrong", PASSWORD):
            await client.send(f"AUTH PLAIN {plain('alice@example.com', password)}\r\n".encode())
            await client.reply()
        await client.send(f"{plain('alice@example.com')}\r\nXYZ hunter2-wrong\r\n".encode())
        await client.reply()
        await client.reply()
        await client.close()
    text = repr(logged)
    assert "alice@example.com" in text
    for secret in ("hunter2-wrong", PASSWORD, plain("alice@example.com"), ALICE.password_hash):
        assert secret not in text


@pytest.mark.parametrize(
    ("argument", "event", "user"),
    [
        (plain("nobody@example.com", "guessed"), "login failed", "nobody@example.com"),
        (plain("alice@example.com", "guessed", authzid="bob@example.com"), "login failed", ""),
        (plain("alice@example.com"), "logged in", "alice@example.com"),
    ],
)
async def test_a_login_is_one_line_with_the_peer_and_without_the_password(
    world: SmtpWorld, logged: list[dict[str, object]], argument: str, event: str, user: str
) -> None:
    async with serving(world, SmtpRole.SUBMISSION):
        client = await world.connect()
        await client.play(f"{GREETING}\nC: AUTH PLAIN {argument}\nS: ...")
        await client.close()
    (line,) = [line for line in logged if str(line["event"]).startswith("log")]
    assert (line["event"], line["service"], line["peer"], line["user"]) == (event, "submission", "127.0.0.1", user)
    assert "guessed" not in str(logged)
