"""DATA over a real connection: what arrives, and what 250 promises. RFC 5321 §4.1.1.4, §4.4, §6.1, §6.3."""

import pytest

from mailstack.model.errors import TryAgainLater
from tests.support.dialogue import Client
from tests.support.smtp_world import ALICE, BOB, SmtpWorld, serving

BEGIN = """
    S: 220 mail.example.com ESMTP
    C: EHLO client.example
    S: 250-...
    S: 250 ENHANCEDSTATUSCODES
"""


async def begin(client: Client, *recipients: str) -> None:
    lines = [f"C: RCPT TO:<{recipient}>\nS: 250 2.1.5 Recipient OK" for recipient in recipients]
    await client.play("\n".join(["C: MAIL FROM:<x@y.example>\nS: 250 2.1.0 Sender OK", *lines, "C: DATA\nS: 354 ..."]))


async def test_a_message_arrives_with_its_trace_on_top_and_else_byte_for_byte(world: SmtpWorld) -> None:
    message = b"Subject: hello\r\n\r\n.dot\r\n\tcaf\xc3\xa9 \xff\0\r\n\r\n"
    async with serving(world):
        client = await world.connect()
        await client.play(BEGIN)
        await begin(client, "Alice+tag@Example.com")
        await client.send(message.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        await client.play("S: 250 2.0.0 OK 6b86b273ff34fce1")
        await client.close()
    assert world.inbox(ALICE) == [
        b"Return-Path: <x@y.example>\r\n"
        b"Received: from client.example ([127.0.0.1])\r\n"
        b"\tby mail.example.com with ESMTP id 6b86b273ff34fce1\r\n"
        b"\tfor <Alice+tag@Example.com>;\r\n"
        b"\tTue, 14 Nov 2023 22:13:20 +0000\r\n" + message
    ]


async def test_everyone_gets_it_once_and_outside_targets_of_aliases_are_queued(world: SmtpWorld) -> None:
    async with serving(world):
        client = await world.connect()
        await client.play(BEGIN)
        await begin(client, "both@example.com", "alice@example.com", "away@example.com")
        await client.play("C: Subject: x\nC:\nC: .\nS: 250 2.0.0 OK ...")
        await client.close()
    assert (len(world.inbox(ALICE)), len(world.inbox(BOB))) == (1, 1)
    assert b"for <" not in world.inbox(ALICE)[0]
    (mail,) = world.queue.mails
    assert (mail.reverse_path[:5], mail.recipients) == ("SRS0=", ("friend@elsewhere.example",))
    assert bytes(mail.raw).startswith(b"Delivered-To: away@example.com\r\nReceived: from client.example")


async def test_full_disk_is_451_and_nothing_is_lost_or_leaked(world: SmtpWorld) -> None:
    world.messages.faults[ALICE.account_id] = TryAgainLater("No space left on device: /var/lib/mailstack/secret")
    world.queue.is_broken = True
    async with serving(world):
        client = await world.connect()
        await client.play(BEGIN)
        await begin(client, "alice@example.com")
        await client.play("C: x\nC: .\nS: 451 4.3.0 Local error, try again later\nC: NOOP\nS: 250 2.0.0 OK")
        await client.close()


async def test_a_busy_account_is_tried_again_by_the_queue(world: SmtpWorld) -> None:
    world.messages.faults[ALICE.account_id] = TryAgainLater("busy")
    async with serving(world):
        client = await world.connect()
        await client.play(BEGIN)
        await begin(client, "alice@example.com", "bob@example.com")
        await client.play("C: x\nC: .\nS: 250 2.0.0 OK ...")
        await client.close()
    assert len(world.inbox(BOB)) == 1
    assert [mail.recipients for mail in world.queue.mails] == [("alice@example.com",)]


async def test_a_fault_of_ours_is_451_with_a_stack_in_the_log_only(
    world: SmtpWorld, logged: list[dict[str, object]]
) -> None:
    world.messages.faults[ALICE.account_id] = RuntimeError("a bug with details")  # type: ignore[assignment]
    async with serving(world):
        client = await world.connect()
        await client.play(BEGIN)
        await begin(client, "alice@example.com")
        await client.play("C: x\nC: .\nS: 451 4.3.0 Local error, try again later\nC: QUIT\nS: 221 ...")
        await client.close()
    (failure,) = [event for event in logged if event["log_level"] == "error"]
    assert isinstance(failure["exc_info"], RuntimeError)


async def test_smtp_smuggling_by_a_fault_of_ours_within_a_message(
    world: SmtpWorld, logged: list[dict[str, object]]
) -> None:
    """Where the message ends is no longer known, so nothing of it is read as a command."""
    world.limit(text_line_bytes="no number")  # type: ignore[arg-type]
    async with serving(world):
        client = await world.connect()
        await client.play(BEGIN)
        await begin(client, "alice@example.com")
        await client.send(b"x\r\nMAIL FROM:<a@b.example>\r\nQUIT\r\n")
        await client.play("S: 451 4.3.0 Local error, try again later\nS: (closed)")
        await client.close()
    assert [event["event"] for event in logged if event["log_level"] == "error"] == ["smtp message not read to its end"]


async def test_a_mail_that_goes_in_circles_is_refused(world: SmtpWorld) -> None:
    async with serving(world):
        client = await world.connect()
        await client.play(BEGIN)
        for hops, reply in ((100, "250 2.0.0 OK ..."), (101, "554 5.4.6 ...")):
            await begin(client, "alice@example.com")
            await client.send(b"Received: from a\r\n" * hops + b"\r\nReceived: in the body\r\n.\r\n")
            await client.play(f"S: {reply}")
        await client.close()


@pytest.mark.parametrize("body", [b"a\nb\r\n", b"a\rb\r\n", b"x\r\n.\nMAIL FROM:<>\r\n"])
async def test_smtp_smuggling_is_refused_after_the_real_end(world: SmtpWorld, body: bytes) -> None:
    async with serving(world):
        client = await world.connect()
        await client.play(BEGIN)
        await begin(client, "alice@example.com")
        await client.send(body + b".\r\n")
        await client.play("S: 550 5.6.11 ...\nC: NOOP\nS: 250 2.0.0 OK")
        await client.close()
    assert world.inbox(ALICE) == []


async def test_a_message_over_the_limit_is_552_and_the_session_goes_on(world: SmtpWorld) -> None:
    world.limit(message_bytes=300_000)
    async with serving(world):
        client = await world.connect()
        await client.play(BEGIN)
        await begin(client, "alice@example.com")
        await client.send(b"0123456789" * 30_000 + b"\r\n.\r\n")
        await client.play("S: 552 5.3.4 Message too large")
        await begin(client, "alice@example.com")
        await client.send(b"\r\n" + (b"0" * 98 + b"\r\n") * 2_990 + b".\r\n")
        await client.play("S: 250 2.0.0 ...")
        await client.close()
    assert [len(raw) > 299_000 for raw in world.inbox(ALICE)] == [True]


async def test_pipelined_commands_are_answered_in_order(world: SmtpWorld) -> None:
    async with serving(world):
        client = await world.connect()
        await client.play(BEGIN)
        await client.send(
            b"MAIL FROM:<>\r\nRCPT TO:<alice@example.com>\r\nRCPT TO:<no@example.com>\r\nDATA\r\nx\r\n.\r\n"
            b"RSET\r\nNOOP ignored\r\nQUIT\r\n"
        )
        await client.play("""
            S: 250 2.1.0 ...
            S: 250 2.1.5 ...
            S: 550 5.1.1 ...
            S: 354 ...
            S: 250 2.0.0 OK ...
            S: 250 2.0.0 OK
            S: 250 2.0.0 OK
            S: 221 2.0.0 Bye
            S: (closed)
        """)
        await client.close()
    assert len(world.inbox(ALICE)) == 1


async def test_a_peer_that_goes_away_within_data_leaves_nothing(world: SmtpWorld) -> None:
    async with serving(world):
        client = await world.connect()
        await client.play(BEGIN)
        await begin(client, "alice@example.com")
        await client.send(b"half a mess")
        client.writer.write_eof()
        await client.expect_end()
        await client.close()
    assert world.inbox(ALICE) == []


async def test_a_peer_that_closes_its_side_early_is_still_served(world: SmtpWorld) -> None:
    async with serving(world):
        client = await world.connect()
        await client.send(b"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<alice@example.com>\r\nDATA\r\nx\r\n.\r\n")
        client.writer.write_eof()
        await client.play("""
            S: 220 ...
            S: 250-...
            S: 250 ...
            S: 250 2.1.0 ...
            S: 250 2.1.5 ...
            S: 354 ...
            S: 250 2.0.0 OK ...
            S: (closed)
        """)
        await client.close()
    assert len(world.inbox(ALICE)) == 1
