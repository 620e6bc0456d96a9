"""What ends a session: limits, silence, faults, and the server itself."""

import asyncio
import contextlib
import random
from pathlib import Path

import pytest
import structlog

from mailstack.model.errors import DomainError
from mailstack.servers.managesieve.errors import RESPONSES, reply_to
from mailstack.servers.managesieve.service import ManageSieveLimits
from tests.support.dialogue import Client, connect
from tests.support.managesieve_server import RunningManageSieve, log_in, managesieve_client, running_managesieve
from tests.support.running import DEADLINE_S
from tests.support.wakes import eventually

LOGIN = b'AUTHENTICATE "PLAIN" "AHUwAHB3"\r\n'


@pytest.mark.parametrize(
    ("octets", "farewell"),
    [
        (b"NOOP\n", "Lines end in CRLF"),
        (b"x" * 70_000, "Line too long"),
        # Octets that nobody was asked for must not become commands.
        (b'PUTSCRIPT "a" {6}\r\nNOOP\r\n\r\n', "A literal is announced as {n+}"),
        (b'PUTSCRIPT "a" {9999999+}\r\n', "Script too large (at most 65536 octets)"),
    ],
)
async def test_when_framing_is_lost_the_server_says_goodbye(client: Client, octets: bytes, farewell: str) -> None:
    await client.send(octets)
    await client.play(f'S: BYE "{farewell}"')


@pytest.mark.parametrize(
    ("octets", "answer"),
    [
        (b'AUTHENTICATE "PLAIN" "' + b"A" * 20_000, 'BYE "Line too long"'),
        (b"AUTHENTICATE {12289+}\r\n" + b"x" * 12_289 + b"\r\n", 'NO "Literal too long"'),
        (b'AUTHENTICATE "PLAIN" {100000+}\r\n', 'BYE "Literal too long"'),
        (b"NOOP" + b" {1+}\r\nx" * 3 + b"\r\n", 'NO "Too many literals"'),
        (b"NOOP" + b" {9000+}\r\n" + b"x" * 9_000 + b" {9000+}\r\n" + b"x" * 9_000 + b" {9000+}\r\n", "(silence)"),
    ],
)
async def test_memory_exhaustion_strangers_get_little(stranger: Client, octets: bytes, answer: str) -> None:
    """CVE-2026-27858: growth before login."""
    await stranger.send(octets)
    if answer == "(silence)":
        await stranger.send(b"x" * 9_000 + b"\r\n")
        answer = 'NO "Too many literals"'
    await stranger.play(f"S: {answer}")


async def test_too_many_faults_end_the_connection(tmp_path: Path) -> None:
    limits = ManageSieveLimits(faults=2)
    async with running_managesieve(tmp_path, limits=limits) as server, managesieve_client(server.port) as client:
        await log_in(client)
        await client.play("""
            C: FOO
            S: NO "Unknown command"
            C: FOO
            S: NO "Unknown command"
            C: NOOP
            S: OK "NOOP completed"
            C: FOO
            S: NO "Unknown command"
            C: FOO
            S: NO "Unknown command"
            C: FOO
            S: NO "Unknown command"
            S: BYE "Too many faults"
            S: (closed)
        """)


async def test_a_stranger_has_only_so_many_commands(tmp_path: Path) -> None:
    limits = ManageSieveLimits(stranger_commands=3)
    async with running_managesieve(tmp_path, limits=limits) as server:
        async with managesieve_client(server.port) as client:
            await client.send(b"NOOP\r\n" * 10)
            await client.play('S: OK ...\nS: OK ...\nS: OK ...\nS: BYE "Too many commands without a login"')
        async with managesieve_client(server.port) as client:
            await log_in(client)
            await client.play('C: NOOP\nS: OK "NOOP completed"\n' * 10)


async def test_who_does_not_log_in_is_sent_away(tmp_path: Path) -> None:
    async with running_managesieve(tmp_path, limits=ManageSieveLimits(login_s=0.1)) as server:
        assert (await all_said(server, b"")).endswith(b'BYE "Too long without a login"\r\n')


async def test_who_unauthenticates_has_as_long_as_a_stranger(tmp_path: Path) -> None:
    async with running_managesieve(tmp_path, limits=ManageSieveLimits(login_s=3)) as server:
        said = await all_said(server, LOGIN + b"UNAUTHENTICATE\r\n")
        assert said.endswith(b'OK "UNAUTHENTICATE completed"\r\nBYE "Too long without a login"\r\n')


async def test_who_says_nothing_is_sent_away(tmp_path: Path) -> None:
    async with running_managesieve(tmp_path, limits=ManageSieveLimits(idle_s=0.1)) as server:
        assert (await all_said(server, LOGIN)).endswith(b'BYE "Too long without a command"\r\n')


async def all_said(server: RunningManageSieve, commands: bytes) -> bytes:
    """Until it ends the connection; on a busy machine that may be before it has greeted."""
    client = await connect("127.0.0.1", server.port)
    await client.send(commands)
    async with asyncio.timeout(DEADLINE_S):
        said = await client.reader.read()
    await client.close()
    return said


async def test_a_server_that_ends_says_goodbye(server: RunningManageSieve, client: Client) -> None:
    assert await server.connections.drain(grace_s=5) == 0
    await client.play('S: BYE "Server is shutting down"\nS: (closed)')


async def test_a_server_that_ends_says_goodbye_amid_a_login(server: RunningManageSieve, stranger: Client) -> None:
    await stranger.play('C: AUTHENTICATE "PLAIN"\nS: ""')
    assert await server.connections.drain(grace_s=5) == 0
    await stranger.play('S: BYE "Server is shutting down"\nS: (closed)')


async def test_after_logout_nothing_is_done(server: RunningManageSieve, client: Client) -> None:
    await client.send(b'LOGOUT\r\nPUTSCRIPT "a" "keep;"\r\n')
    await client.play('S: OK "Logging out"\nS: (closed)')
    async with managesieve_client(server.port) as other:
        await log_in(other)
        await other.play('C: LISTSCRIPTS\nS: OK "LISTSCRIPTS completed"')


async def test_a_connection_that_is_lost_is_forgotten(server: RunningManageSieve) -> None:
    async with managesieve_client(server.port) as client:
        await client.send(b'AUTHENTICATE "PLAIN" {100+}\r\n')
        with contextlib.suppress(OSError):
            client.writer.transport.abort()
    await eventually(lambda: not len(server.connections))


async def test_a_fault_of_ours_ends_the_command_alone(
    server: RunningManageSieve, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(server.store.scripts, "all", broken)
    await client.play("""
        C: LISTSCRIPTS
        S: NO "Internal error"
        C: NOOP
        S: OK "NOOP completed"
    """)


PIECES = (
    *(b"NOOP", b"CAPABILITY", b"LISTSCRIPTS", b"PUTSCRIPT", b"SETACTIVE", b"GETSCRIPT", b"RENAMESCRIPT", b"STARTTLS"),
    *(b"CHECKSCRIPT", b"HAVESPACE", b"UNAUTHENTICATE", LOGIN, b"AUTHENTICATE", b'"LOGIN"', b'"SCRAM-SHA-256"', b'"*"'),
    *(
        b" ",
        b" ",
        b"\r\n",
        b"\r\n",
        b'"a"',
        b'""',
        b'"keep;"',
        b"{5+}\r\nkeep;",
        b"{0+}\r\n",
        b"{9+}\r\n",
        b"5",
        b"\0",
        b"\xff",
    ),
)


async def test_whatever_a_client_says_there_is_no_bug(server: RunningManageSieve) -> None:
    chance = random.Random(5804)
    with structlog.testing.capture_logs() as logged:
        for _ in range(60):
            client = await connect("127.0.0.1", server.port)
            await client.send(chance.choice((b"", LOGIN)) + b"".join(chance.choices(PIECES, k=60)) + b"\r\n")
            client.writer.write_eof()
            async with asyncio.timeout(DEADLINE_S):
                await client.reader.read()
            await client.close()
    assert [line for line in logged if line["event"] == "bug"] == []


@pytest.mark.parametrize("kind", RESPONSES)
def test_the_detail_of_an_error_stays_inside(kind: type[DomainError]) -> None:
    assert "secret" not in reply_to(kind("secret")).text
