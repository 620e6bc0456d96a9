"""The life of a connection: lines, limits, deadlines, shutdown, and whatever strangers send."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
import uvloop
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailstack.servers.smtp.incoming import HIGH_BYTES, MAX_SKIPPED_BYTES
from mailstack.servers.smtp.service import SmtpRole
from tests.support.places import part_with_newest
from tests.support.running import DEADLINE_S
from tests.support.smtp_world import ALICE, SmtpWorld, serving

GREETING = """
    S: 220 mail.example.com ESMTP
    C: EHLO client.example
    S: 250-...
    S: 250 ENHANCEDSTATUSCODES
"""


async def wait_until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not is_so():  # noqa: ASYNC110 - what is waited for knows nothing of events
            await asyncio.sleep(0.005)


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("NOOP", "250 2.0.0 OK"),
        ("noop whatever this is", "250 2.0.0 OK"),
        ("RSET", "250 2.0.0 OK"),
        ("RSET now", "501 5.5.4 Invalid argument"),
        ("VRFY alice", "252 2.5.0 Send some mail and see"),
        ("VRFY", "501 5.5.4 Invalid argument"),
        ("HELP", "214 2.0.0 ..."),
        ("HELP MAIL", "214 2.0.0 ..."),
        ("QUIT now", "501 5.5.4 Invalid argument"),
        ("DATA now", "501 5.5.4 Invalid argument"),
        ("EHLO", "501 5.5.4 Invalid argument"),
        ("HELO", "501 5.5.4 Invalid argument"),
        ("EHLO two words", "501 5.5.4 Invalid argument"),
        ("EHLO [127.0.0.1]", "250-mail.example.com"),
        ("EXPN all", "500 5.5.2 Command not recognised"),
        ("XCLIENT ADDR=127.0.0.1", "500 5.5.2 Command not recognised"),
        ("XYZZY 10", "500 5.5.2 Command not recognised"),
        ("GET / HTTP/1.1", "500 5.5.2 Command not recognised"),
        ("%s%n {event} \x1b[31m", "500 5.5.2 Command not recognised"),
        ("ÄÖ", "500 5.5.2 Command not recognised"),
        ("NOOP " + "x" * 3_000, "500 5.5.2 Line too long"),
        ("AUTH PLAIN " + "x" * 3_000, "502 5.5.1 Command not implemented"),
        ("AUTH PLAIN " + "x" * 20_000, "500 5.5.2 Line too long"),
        (" NOOP", "501 5.5.2 Syntax error"),
    ],
)
async def test_commands_that_move_no_mail(world: SmtpWorld, command: str, reply: str) -> None:
    async with serving(world):
        client = await world.connect()
        await client.line()
        await client.send(command.encode() + b"\r\n")
        await client.play(f"S: {reply}")
        await client.close()


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        (r"\r\n", "501 5.5.2 Syntax error"),
        (r"NO\rOP\r\n", "501 5.5.2 Syntax error"),
        (r"NOOP\r\r\n", "501 5.5.2 Syntax error"),
        (r"NOOP\0\r\n", "501 5.5.2 Syntax error"),
        (r"\xff\xfe\r\n", "500 5.5.2 Command not recognised"),
    ],
)
async def test_lines_that_are_no_commands_leave_the_connection_usable(world: SmtpWorld, line: str, reply: str) -> None:
    async with serving(world):
        client = await world.connect()
        await client.play(f"S: 220 ...\nC| {line}\nS: {reply}\nC: NOOP\nS: 250 2.0.0 OK")
        await client.close()


@pytest.mark.parametrize("lines", [rb"NOOP\n", rb"\n", rb"EHLO x\nMAIL FROM:<>\r\n", rb"NOOP\r\r\n\nNOOP\r\n"])
async def test_smtp_smuggling_a_command_that_ends_in_bare_lf_ends_the_connection(
    world: SmtpWorld, lines: bytes
) -> None:
    async with serving(world):
        client = await world.connect()
        await client.line()
        await client.send(lines.decode("unicode_escape").encode("latin-1"))
        replies = (await client.reader.read()).decode().splitlines()
        assert replies[-1] == "500 5.5.2 Lines must end in CR LF"
        assert not any(reply.startswith("250") for reply in replies)
        await client.close()


async def test_bad_commands_are_few(world: SmtpWorld) -> None:
    world.limit(bad_commands=3)
    async with serving(world):
        client = await world.connect()
        await client.play("S: 220 ...")
        await client.play("C: WHAT\nS: 500 5.5.2 ...\n" * 3)
        await client.play("C: WHAT\nS: 421 4.7.0 Too many errors\nS: (closed)")
        await client.close()


async def test_memory_a_line_without_end_is_given_up(world: SmtpWorld) -> None:
    async with serving(world):
        client = await world.connect()
        await client.line()
        try:
            await client.send(b"x" * (MAX_SKIPPED_BYTES * 8))
            answer = await client.reader.read()
        except ConnectionError:  # closed while we were still sending
            answer = b""
        assert answer in (b"500 5.5.2 Line too long\r\n", b"")
        await client.close()
        await wait_until(lambda: len(world.connections) == 0)


async def test_memory_a_peer_that_sends_ahead_is_held_back(world: SmtpWorld) -> None:
    """Commands nobody has time to read fill the peer's buffers, not ours."""
    gate = asyncio.Event()
    find = world.accounts.find

    async def slow_find(address_key: str) -> object:
        await gate.wait()
        return await find(address_key)

    world.accounts.find = slow_find  # type: ignore[method-assign, assignment]  # a directory that takes its time
    async with serving(world):
        client = await world.connect()
        await client.play(GREETING)
        line = b"NOOP " + b"x" * 2_000 + b"\r\n"
        count = 40 * HIGH_BYTES // len(line)
        client.writer.write(b"MAIL FROM:<>\r\nRCPT TO:<alice@example.com>\r\n" + line * count)
        (connection,) = world.connections._open
        await wait_until(lambda: len(connection.incoming) > HIGH_BYTES)  # type: ignore[attr-defined]
        assert len(connection.incoming) < 4 * HIGH_BYTES  # type: ignore[attr-defined]
        gate.set()
        await client.play("S: 250 2.1.0 ...\nS: 250 2.1.5 ...")
        for _ in range(count):
            assert await client.line() == "250 2.0.0 OK"
        await client.close()


async def test_one_peer_opens_only_so_many_connections(world: SmtpWorld) -> None:
    world.limit(connections_per_ip=2)
    async with serving(world):
        clients = [await world.connect() for _ in range(2)]
        for client in clients:
            await client.play("S: 220 ...")
        third = await world.connect()
        await third.play("S: 421 4.7.0 Too many connections, try again later\nS: (closed)")
        await third.close()
        await clients[0].play("C: QUIT\nS: 221 ...\nS: (closed)")
        await wait_until(lambda: len(world.connections) == 1)
        fourth = await world.connect()
        await fourth.play("S: 220 ...")
        for client in (*clients, fourth):
            await client.close()


async def test_silence_is_ended_with_421(world: SmtpWorld) -> None:
    world.limit(wait_s=2)  # and a busy machine is slower than it likes to be
    async with serving(world):
        client = await world.connect()
        await client.play("S: 220 ...\nC| NOO\nS: 421 4.4.2 Timed out\nS: (closed)")
        await client.close()
        client = await world.connect()
        await client.play(GREETING)
        await client.play(
            "C: MAIL FROM:<>\nS: 250 ...\nC: RCPT TO:<alice@example.com>\nS: 250 ...\nC: DATA\nS: 354 ..."
        )
        await client.play("C: half\nS: 421 4.4.2 Timed out\nS: (closed)")
        await client.close()
    assert world.inbox(ALICE) == []


async def test_shutdown_tells_who_is_idle_and_lets_a_transaction_finish(world: SmtpWorld) -> None:
    async with serving(world):
        idle, busy = await world.connect(), await world.connect()
        await idle.play(GREETING)
        await busy.play(GREETING)
        await busy.play("C: MAIL FROM:<>\nS: 250 ...\nC: RCPT TO:<alice@example.com>\nS: 250 ...\nC: DATA\nS: 354 ...")
        draining = asyncio.ensure_future(world.connections.drain(grace_s=DEADLINE_S))
        await idle.play("S: 421 4.3.2 Service closing, try again\nS: (closed)")
        await busy.play("C: x\nC: .\nS: 250 2.0.0 OK ...\nS: 421 4.3.2 Service closing, try again\nS: (closed)")
        assert await draining == 0
        await idle.close()
        await busy.close()
    assert len(world.inbox(ALICE)) == 1


async def test_who_is_one_of_too_many_on_all_nodes_is_told_between_two_transactions(world: SmtpWorld) -> None:
    async with serving(world):
        oldest, busy, idle = await world.connect(), await world.connect(), await world.connect()
        for client in (oldest, busy, idle):
            await client.play(GREETING)
        await busy.play("C: MAIL FROM:<>\nS: 250 ...\nC: RCPT TO:<alice@example.com>\nS: 250 ...\nC: DATA\nS: 354 ...")
        part_with_newest(world.entrance.strangers, 2)
        await idle.play("S: 421 4.7.0 Too many connections, try again later\nS: (closed)")
        await busy.play("C: x\nC: .\nS: 250 2.0.0 OK ...")
        await busy.play("S: 421 4.7.0 Too many connections, try again later\nS: (closed)")
        await wait_until(lambda: len(world.connections) == 1)
        await oldest.play("C: NOOP\nS: 250 ...\nC: QUIT\nS: 221 ...\nS: (closed)")
        for client in (oldest, busy, idle):
            await client.close()
    assert len(world.inbox(ALICE)) == 1


async def test_a_connection_made_while_closing_is_sent_away(world: SmtpWorld) -> None:
    async with serving(world):
        await world.connections.drain(grace_s=1)
        client = await world.connect()
        await client.play("S: 220 ...\nS: 421 4.3.2 ...\nS: (closed)")
        await client.close()


async def test_a_reload_does_not_change_open_connections(world: SmtpWorld) -> None:
    async with serving(world):
        old = await world.connect()
        await old.play("S: 220 ...")
        world.limit(message_bytes=5)
        new = await world.connect()
        await new.play("S: 220 ...")
        for client, reply in ((old, "250 2.1.0 ..."), (new, "552 5.3.4 ...")):
            await client.play("C: EHLO x\nS: 250-...\nS: 250 ENHANCEDSTATUSCODES")
            await client.play(f"C: MAIL FROM:<> SIZE=10\nS: {reply}")
            await client.close()


async def test_a_peer_that_disappears_is_forgotten(world: SmtpWorld) -> None:
    async with serving(world):
        clients = [await world.connect() for _ in range(5)]
        for client in clients:
            await client.play(GREETING)
            client.writer.transport.abort()
        await wait_until(lambda: len(world.connections) == 0)


WORDS = [b"EHLO x", b"HELO", b"MAIL FROM:<", b"MAIL FROM:<>", b"RCPT TO:<alice@example.com>", b"DATA", b".", b"\r\n",
         b"\r\n.\r\n", b"\n", b"\r", b"\0", b"\xff", b"AUTH LOGIN", b"AUTH PLAIN =", b"*", b"RSET", b"STARTTLS", b" ",
         b"SIZE=1", b"NOOP\r\n", b"\r\nEHLO y\r\n", b"x" * 3_000]  # fmt: skip


@pytest.mark.parametrize("role", [SmtpRole.MX, SmtpRole.SUBMISSION])
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(words=st.lists(st.sampled_from(WORDS), max_size=25))
def test_malformed_dialogues_get_replies_and_nothing_else(role: SmtpRole, words: list[bytes]) -> None:
    asyncio.run(_throw_at(role, b"".join(words)))


async def _throw_at(role: SmtpRole, data: bytes) -> None:
    world = SmtpWorld()
    async with serving(world, role):
        client = await world.connect()
        await client.send(data)
        client.writer.write_eof()
        async with asyncio.timeout(DEADLINE_S):
            answer = await client.reader.read()
        await client.close()
        for line in answer.decode("ascii").split("\r\n")[:-1]:
            assert line[:3].isdigit()
            assert line[3] in " -"
            assert "451" not in line[:3], data
        await wait_until(lambda: len(world.connections) == 0)


def test_the_same_under_uvloop() -> None:
    """uvloop's transports differ from asyncio's in type and habits."""
    tests: tuple[Callable[[SmtpWorld], Awaitable[None]], ...] = (
        test_shutdown_tells_who_is_idle_and_lets_a_transaction_finish,
        test_silence_is_ended_with_421,
        test_one_peer_opens_only_so_many_connections,
        test_memory_a_peer_that_sends_ahead_is_held_back,
        test_a_peer_that_disappears_is_forgotten,
    )
    for test in tests:

        async def run(promise: Callable[[SmtpWorld], Awaitable[None]] = test) -> None:
            await promise(SmtpWorld())

        uvloop.run(run())
