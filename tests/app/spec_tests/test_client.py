"""SMTP without a socket: lines in, the server's own replies out."""

import asyncio

import pytest

from mailstack.app.spec_tests.client import Hungup, connected
from mailstack.servers.smtp.service import SmtpRole
from tests.support.smtp_world import ALICE, SmtpWorld


async def test_a_dialogue_is_what_a_socket_would_have_said() -> None:
    world = SmtpWorld()
    with connected(world.service(), SmtpRole.MX, "2001:db8::7") as client:
        assert (await client.greeting()).code == 220
        assert (await client.say("EHLO there.example")).lines[0] == "mail.example.com"
        assert (await client.say("MAIL FROM:<x@y.example>")).status == "2.1.0"
        assert (await client.say("RCPT TO:<nobody@example.com>")).status == "5.1.1"
        assert (await client.say("RCPT TO:<alice@example.com>")).status == "2.1.5"
        assert (await client.say("DATA")).code == 354
        assert (await client.send(b"Subject: x\n\n.dot\nlast")).code == 250
    (raw,) = world.inbox(ALICE)
    assert b"from there.example ([IPv6:2001:db8::7])\r\n" in raw
    assert raw.endswith(b"Subject: x\r\n\r\n.dot\r\nlast\r\n")


async def test_an_address_beyond_ascii_goes_as_utf8() -> None:
    with connected(SmtpWorld().service(), SmtpRole.MX, "192.0.2.1") as client:
        await client.greeting()
        await client.say("EHLO there.example")
        assert (await client.say("MAIL FROM:<größe@y.example>")).status == "5.6.7"
        assert (await client.say("MAIL FROM:<größe@y.example> SMTPUTF8")).status == "2.1.0"


async def test_a_server_that_has_hung_up_says_nothing_more() -> None:
    with connected(SmtpWorld().service(), SmtpRole.MX, "192.0.2.1") as client:
        await client.greeting()
        assert (await client.say("QUIT")).code == 221
        with pytest.raises(Hungup):
            await client.say("NOOP")


async def test_a_large_message_is_taken_whole() -> None:
    world = SmtpWorld()
    with connected(world.service(), SmtpRole.MX, "192.0.2.1") as client:
        await client.greeting()
        for line in ("EHLO there.example", "MAIL FROM:<>", "RCPT TO:<alice@example.com>", "DATA"):
            await client.say(line)
        assert (await client.send(b"Subject: x\r\n\r\n" + b"a line of it\r\n" * 60_000)).code == 250
    assert len(world.inbox(ALICE)[0]) > 60_000 * 14


async def test_nothing_is_left_behind() -> None:
    before = asyncio.all_tasks()
    with connected(SmtpWorld().service(), SmtpRole.MX, "192.0.2.1") as client:
        await client.greeting()
    left = asyncio.all_tasks() - before
    await asyncio.wait(left, timeout=30)
    assert all(task.cancelled() for task in left)
