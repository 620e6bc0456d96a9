"""SMTP peers that misbehave: what is noted of them, and how they are turned away."""

import asyncio
import socket

import pytest
import uvloop

from mailstack.model.conduct import BanRules, Offence
from mailstack.model.networks import networks_of
from mailstack.net.connections import Connections
from mailstack.net.proxy import SIGNATURE
from mailstack.servers.smtp.service import SmtpRole
from tests.support.smtp_world import SmtpWorld, serving

HOST = "127.0.0.1"
GREETED = "S: 220 ...\nC: EHLO x\nS: 250-...\nS: 250 ..."


def banning(world: SmtpWorld, after: int) -> None:
    world.conduct.rules = BanRules(after=after)


def points(world: SmtpWorld) -> float:
    record = world.conduct._records.get(HOST)
    return record.points if record else 0.0


async def test_a_banned_peer_is_turned_away_at_once_and_told_until_when(world: SmtpWorld) -> None:
    banning(world, 1)
    world.conduct.note(HOST, Offence.PROTOCOL_ABUSE)
    async with serving(world):
        client = await world.connect()
        await client.play("S: 421 4.7.0 Too much was tried from your address, come again after 20...")
        await client.expect_end()
        await client.close()
        world.conduct.rules = BanRules(never=networks_of(("127.0.0.0/8",)))
        again = await world.connect()
        await again.play("S: 220 ...\nC: QUIT\nS: 221 ...")
        await again.close()


async def early(world: SmtpWorld, sent: bytes = b"EHLO x\r\n") -> bytes:
    """What a peer gets that speaks before the server has had a look at it."""
    with socket.create_connection((HOST, world.port)) as talker:
        talker.sendall(sent)
        talker.shutdown(socket.SHUT_WR)
        reader, writer = await asyncio.open_connection(sock=talker)
        try:
            return await reader.read()
        finally:
            writer.close()


async def test_who_speaks_before_the_greeting_is_sent_away_and_it_is_noted(
    world: SmtpWorld, logged: list[dict[str, object]]
) -> None:
    banning(world, 6)
    async with serving(world):
        assert await early(world) == b"421 4.5.1 You spoke before the greeting, wait for it the next time\r\n"
        assert points(world) == 5
        # Hanging up without a word, as those do that look whether a port is open, is no talk.
        assert (await early(world, b"")).startswith(b"220 ")
        assert (await early(world)).startswith(b"421 4.5.1 ")
        again = await world.connect()
        await again.play("S: 421 4.7.0 Too much was tried from your address, ...")
        await again.close()
    reasons = [event["reason"] for event in logged if event["event"] == "turned away"]
    assert reasons == ["spoke before the greeting"] * 2 + ["banned"]


async def test_who_is_never_banned_may_be_hasty_and_so_may_mail_programs(world: SmtpWorld) -> None:
    banning(world, 6)
    async with serving(world, SmtpRole.SUBMISSION):
        assert (await early(world)).startswith(b"220 ")
    world.connections = Connections()  # those of the last time have ended
    world.conduct.rules = BanRules(never=networks_of(("127.0.0.0/8",)))
    async with serving(world):
        assert (await early(world)).startswith(b"220 ")


def test_early_talk_is_seen_under_uvloop(logged: list[dict[str, object]]) -> None:
    async def play() -> None:
        await test_who_speaks_before_the_greeting_is_sent_away_and_it_is_noted(SmtpWorld(), logged)

    uvloop.run(play())


async def test_who_tries_out_recipients_is_banned(world: SmtpWorld) -> None:
    banning(world, 3)
    async with serving(world):
        client = await world.connect()
        tries = "".join(f"C: RCPT TO:<nobody{at}@example.com>\nS: 550 5.1.1 ...\n" for at in range(3))
        await client.play(f"{GREETED}\nC: MAIL FROM:<>\nS: 250 ...\n{tries}C: QUIT\nS: 221 ...")
        await client.close()
        again = await world.connect()
        await again.play("S: 421 4.7.0 ...")
        await again.close()
    [ban] = world.conduct.unstored()
    assert (ban.peer, ban.reason) == (HOST, Offence.UNKNOWN_RECIPIENT.value)


async def test_who_tries_passwords_is_banned(world: SmtpWorld) -> None:
    banning(world, 4)
    async with serving(world, SmtpRole.SUBMISSION):
        client = await world.connect()
        tries = "C: AUTH PLAIN AGFsaWNlQGV4YW1wbGUuY29tAHdyb25n\nS: 535 5.7.8 ...\n" * 2
        await client.play(f"{GREETED}\n{tries}C: QUIT\nS: 221 ...")
        await client.close()
        again = await world.connect()
        await again.play("S: 421 4.7.0 ...")
        await again.close()


@pytest.mark.parametrize("role", [SmtpRole.MX, SmtpRole.SUBMISSION])
@pytest.mark.parametrize(
    ("header", "replies"),
    [
        (b"PROXY TCP4 10.0.0.1 10.0.0.2 4711 25\r\n" * 11, ["500 5.5.2"] * 10 + ["421 4.7.0"]),
        (SIGNATURE + b"\x21\x11\x00\x0c" + bytes(12) + b"\r\n", ["501 5.5.2"] * 3 + ["500 5.5.2"]),
    ],
    ids=["version 1", "version 2"],
)
async def test_auth_bypass_a_proxy_header_of_whom_the_spec_does_not_name_is_a_bad_command_and_counts(
    world: SmtpWorld, role: SmtpRole, header: bytes, replies: list[str]
) -> None:
    """maddy GHSA-rpmv-mh3g-cf5c: whoever said so was taken for a proxy. Here it is noted of who connected."""
    banning(world, 100)
    async with serving(world, role):
        client = await world.connect()
        await client.play("S: 220 ...")
        await client.send(header)
        assert [(await client.line())[:9] for _ in replies] == replies
        await client.expect_end()
        await client.close()
    assert points(world) > 0


async def test_a_bare_line_feed_and_too_many_bad_commands_are_noted(world: SmtpWorld) -> None:
    banning(world, 1_000)
    world.limit(bad_commands=1)
    async with serving(world):
        client = await world.connect()
        await client.play(f"{GREETED}\nC: MAIL FROM:<>\nS: 250 ...\nC: RCPT TO:<alice@example.com>\nS: 250 ...")
        await client.play("C: DATA\nS: 354 ...")
        await client.send(b"a\nb\r\n.\r\n")
        await client.play("S: 550 5.6.11 ...")
        assert points(world) == 5
        await client.play("C: FOO\nS: 500 ...\nC: FOO\nS: 421 4.7.0 Too many errors")
        assert points(world) == 10
        await client.close()


async def test_a_message_in_chunks_is_one_offence_however_many_of_them_hear_of_it(world: SmtpWorld) -> None:
    banning(world, 1_000)
    async with serving(world):
        client = await world.connect()
        await client.play(f"{GREETED}\nC: MAIL FROM:<>\nS: 250 ...\nC: RCPT TO:<alice@example.com>\nS: 250 ...")
        await client.send(b"BDAT 4\r\na\nb\nBDAT 3\r\nc\r\nBDAT 3 LAST\r\nd\r\n")
        await client.play("S: 550 5.6.11 ...\n" * 3)
        assert points(world) == 5
        await client.play("C: MAIL FROM:<>\nS: 250 ...\nC: RCPT TO:<alice@example.com>\nS: 250 ...")
        await client.send(b"BDAT 2 LAST\r\na\n")
        await client.play("S: 550 5.6.11 ...")
        assert points(world) == 10
        await client.close()
