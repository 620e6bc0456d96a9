"""AUTH SCRAM-SHA-256 and -PLUS as SMTP carries them. RFC 4954, RFC 5802, RFC 7677."""

import ssl
from base64 import b64decode, b64encode
from dataclasses import replace

import pytest
import structlog

from mailstack.model.app_password import AppService
from mailstack.model.password import main_hash
from mailstack.servers.smtp.service import SmtpRole
from tests.servers.smtp.test_auth import INVALID, plain
from tests.support.app_passwords import app_password_for
from tests.support.dialogue import Client, connect
from tests.support.scram import ScramTalk
from tests.support.smtp_world import ALICE, BOB, HOSTNAME, PASSWORD, SmtpWorld, serving

HASH = bytes(range(32))


async def greet(client: Client, names: str = "SCRAM-SHA-256 PLAIN LOGIN") -> None:
    await client.play(f"S: 220 ...\nC: EHLO client.example\nS: 250-...\nS: 250 AUTH {names}")


async def asked(client: Client, line: str) -> str:
    """Sends it; the challenge that comes back, or the whole reply where none does."""
    await client.send(f"{line}\r\n".encode())
    (said,) = await client.reply()
    return said.removeprefix("334 ")


async def proved(client: Client, talk: ScramTalk, name: str = "SCRAM-SHA-256") -> str:
    """What comes after the proof."""
    challenge = await asked(client, f"AUTH {name} {talk.first()}")
    return await asked(client, talk.final(challenge))


@pytest.mark.parametrize("username", ["alice@example.com", "Alice@Example.com", "alice", "a.example"])
async def test_a_proof_logs_in_and_the_server_proves_itself(world: SmtpWorld, username: str) -> None:
    async with serving(world, SmtpRole.SUBMISSION):
        client = await world.connect()
        await greet(client)
        talk = ScramTalk(username, PASSWORD)
        talk.finish(await proved(client, talk))
        await client.play("C:\nS: 235 2.7.0 Authenticated\nC: MAIL FROM:<alice@example.com>\nS: 250 ...")
        await client.close()


async def test_a_name_that_says_by_which_app_password_is_proved_by_it(world: SmtpWorld) -> None:
    one, text = await app_password_for(world.app_passwords, ALICE.account_id, AppService.SUBMISSION)
    other, for_imap = await app_password_for(world.app_passwords, ALICE.account_id, AppService.IMAP)
    async with serving(world, SmtpRole.SUBMISSION):
        client = await world.connect()
        await greet(client)
        for name, password in (
            ("alice@example.com", text),
            (f"alice@example.com/{other.app_password_id}", for_imap),
        ):
            assert await proved(client, ScramTalk(name, password)) == INVALID
        talk = ScramTalk(f"alice@example.com/{one.app_password_id}", text)
        talk.finish(await proved(client, talk))
        await client.play("C:\nS: 235 2.7.0 Authenticated\nC: MAIL FROM:<alice@example.com>\nS: 250 ...")
        await client.close()


async def test_without_an_initial_response_the_client_is_asked(world: SmtpWorld) -> None:
    async with serving(world, SmtpRole.SUBMISSION):
        client = await world.connect()
        await greet(client)
        talk = ScramTalk("alice", PASSWORD)
        await client.play("C: AUTH SCRAM-SHA-256\nS: 334 ...")
        final = talk.final(await asked(client, talk.first()))
        talk.finish(await asked(client, final))
        await client.play("C:\nS: 235 ...")
        await client.close()


async def test_nobody_learns_who_exists(world: SmtpWorld) -> None:
    """An account, one with another password, one without a verifier, one that may not send, and none at all."""
    world.accounts.put(replace(BOB, password_hash=main_hash(ALICE.password_hash)))
    world.accounts.put(replace(ALICE, abilities=frozenset()))
    async with serving(world, SmtpRole.SUBMISSION):
        for name, password in (
            ("alice@example.com", PASSWORD),
            ("alice@example.com", "wrong"),
            ("bob@example.com", PASSWORD),
            ("nobody@example.com", PASSWORD),
            ("nobody", PASSWORD),
            ("both@example.com", PASSWORD),
            ("no address", PASSWORD),
        ):
            client = await world.connect()
            await greet(client)
            talk = ScramTalk(name, password)
            challenge = await asked(client, f"AUTH SCRAM-SHA-256 {talk.first()}")
            nonce, salt, iterations = b64decode(challenge).decode().split(",")
            assert nonce.startswith("r=client+nonce")
            assert len(b64decode(salt[2:])) == 16
            assert iterations == "i=4096"
            assert await asked(client, talk.final(challenge)) == INVALID
            await client.close()


async def test_the_same_name_gets_the_same_salt_each_time(world: SmtpWorld) -> None:
    async with serving(world, SmtpRole.SUBMISSION):
        salts: dict[str, set[str]] = {}
        for name in ("nobody@example.com", "NOBODY@example.com", "nobody", "alice", "other@example.com") * 2:
            client = await world.connect()
            await greet(client)
            challenge = await asked(client, f"AUTH SCRAM-SHA-256 {ScramTalk(name, 'x').first()}")
            salts.setdefault(name, set()).add(b64decode(challenge).decode().split(",")[1])
            await client.close()
        assert [len(each) for each in salts.values()] == [1] * 5
        assert salts["nobody@example.com"] == salts["NOBODY@example.com"] == salts["nobody"]
        assert len(set.union(*salts.values())) == 3


async def test_without_any_verifier_scram_is_not_offered(world: SmtpWorld) -> None:
    world.accounts.put(replace(ALICE, password_hash=main_hash(ALICE.password_hash)))
    async with serving(world, SmtpRole.SUBMISSION):
        client = await world.connect()
        await greet(client, "PLAIN LOGIN")
        await client.play(f"C: AUTH SCRAM-SHA-256 {ScramTalk('alice', PASSWORD).first()}\nS: 504 5.5.4 ...")
        # The first password that comes in plain makes one, and from then on everybody is offered it.
        await client.play(f"C: AUTH PLAIN {plain('alice@example.com')}\nS: 235 ...")
        await client.close()
        client = await world.connect()
        await greet(client)
        talk = ScramTalk("alice", PASSWORD)
        talk.finish(await proved(client, talk))
        await client.play("C:\nS: 235 ...")
        await client.close()


async def test_plus_is_bound_to_the_certificate(
    world: SmtpWorld, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    world.end_point = HASH
    names = "SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN"

    async def secured() -> Client:
        client = await connect("127.0.0.1", world.port, tls=client_tls, server_hostname=HOSTNAME)
        await greet(client, names)
        return client

    async with serving(world, SmtpRole.SUBMISSIONS, tls=server_tls):
        client = await secured()
        talk = ScramTalk("alice", PASSWORD, end_point=HASH)
        talk.finish(await proved(client, talk, "SCRAM-SHA-256-PLUS"))
        await client.play("C:\nS: 235 ...")
        await client.close()
        client = await secured()
        stranger = ScramTalk("alice", PASSWORD, end_point=bytes(32))
        assert await proved(client, stranger, "SCRAM-SHA-256-PLUS") == INVALID
        downgraded = ScramTalk("alice", PASSWORD, knows=True)
        assert await asked(client, f"AUTH SCRAM-SHA-256 {downgraded.first()}") == INVALID
        unaware = ScramTalk("alice", PASSWORD)
        unaware.finish(await proved(client, unaware))
        await client.close()


async def test_auth_bypass_scram_for_somebody_else_is_refused(world: SmtpWorld) -> None:
    """CVE-2023-27582."""
    async with serving(world, SmtpRole.SUBMISSION):
        client = await world.connect()
        await greet(client)
        first = b64encode(b"n,a=bob@example.com,n=alice@example.com,r=c").decode()
        assert await asked(client, f"AUTH SCRAM-SHA-256 {first}") == INVALID
        await client.play("C: MAIL FROM:<bob@example.com>\nS: 530 5.7.0 Authentication required")
        await client.close()


@pytest.mark.parametrize("answer", ["*", "AAAA", "!"])
async def test_who_does_not_accept_the_servers_proof_is_not_logged_in(world: SmtpWorld, answer: str) -> None:
    async with serving(world, SmtpRole.SUBMISSION):
        client = await world.connect()
        await greet(client)
        talk = ScramTalk("alice", PASSWORD)
        talk.finish(await proved(client, talk))
        await client.play(f"C: {answer}\nS: 5...\nC: MAIL FROM:<alice@example.com>\nS: 530 ...")
        await client.close()


async def test_each_end_of_an_exchange_is_one_line_of_the_log(world: SmtpWorld) -> None:
    with structlog.testing.capture_logs() as lines:
        async with serving(world, SmtpRole.SUBMISSION):
            client = await world.connect()
            await greet(client)
            for password in ("wrong", PASSWORD):
                talk = ScramTalk("alice", password)
                await proved(client, talk)
            await client.play("C:\nS: 235 ...")
            await client.close()
    ends = [(line["event"], line["user"]) for line in lines if str(line["event"]).startswith("log")]
    assert ends == [("login failed", "alice"), ("logged in", "alice")]
    assert PASSWORD not in repr(lines)
