"""Peers that mean harm, or whose network does: handshakes that fail, readers that do not read, floods."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trustme

from mailstack.formats.digest import digest_message
from mailstack.model.instant import Instant
from mailstack.model.message import NewMessage
from mailstack.model.principal import Account
from mailstack.servers.imap.service import ImapLimits
from tests.servers.imap.conftest import message
from tests.support.imap_dialogue import imap_client
from tests.support.imap_server import RunningImap, running_imap
from tests.support.running import DEADLINE_S

CROWD = 1_000
"""Connections that one address may hold here."""


@pytest.fixture
async def hasty(tmp_path: Path) -> AsyncIterator[RunningImap]:
    """With STARTTLS, and little patience."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    limits = ImapLimits(handshake_s=0.3, write_s=0.3)
    async with running_imap(tmp_path, tls=context, limits=limits) as server:
        yield server


async def until_gone(server: RunningImap, *, but: int = 0) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while len(server.connections) > but:  # noqa: ASYNC110 - nothing tells when a set is empty
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("hello", [b"GET / HTTP/1.0\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"\0" * 100, b""])
async def test_a_handshake_that_fails_or_never_comes_ends_the_connection(
    hasty: RunningImap, hello: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    async with imap_client(hasty.port) as client:
        await client.talk("C: a STARTTLS\nS: a OK …")
        await client.send(hello)
        await until_gone(hasty)

    said = capsys.readouterr()
    assert "[error" not in said.out
    assert "Traceback" not in said.out + said.err


async def fill(server: RunningImap, count: int, raw: bytes) -> None:
    account = await server.store.accounts.find("u0@peer.test")
    assert isinstance(account, Account)
    inbox = (await server.store.mailboxes.list(account.account_id))[0]
    new = NewMessage(raw=raw, received_at=Instant(0), digest=digest_message(raw))
    await server.store.messages.append(account.account_id, inbox.mailbox_id, [new] * count)


async def test_memory_exhaustion_by_who_does_not_read_it_is_left_behind(hasty: RunningImap) -> None:
    """1,200 messages, 48 MB, asked for ten times, and read never."""
    await fill(hasty, 1_200, message(1) + b"a line of some length, and no other\r\n" * 1_100)
    async with imap_client(hasty.port) as client:
        await client.login()
        before = resident_octets()
        await client.send(b"s SELECT INBOX\r\n" + b"f FETCH 1:* (FLAGS BODY.PEEK[])\r\n" * 10)
        peak = before
        async with asyncio.timeout(DEADLINE_S):
            while len(hasty.connections):
                peak = max(peak, resident_octets())
                await asyncio.sleep(0.005)

    assert peak - before < 24 * 1024 * 1024


async def test_a_flood_of_commands_waits_for_its_answers_to_be_read(hasty: RunningImap) -> None:
    await fill(hasty, 1_000, b"A: b\r\n\r\n")
    async with imap_client(hasty.port) as flooding:
        await flooding.login()
        before = resident_octets()
        await flooding.send(b"s SELECT INBOX\r\n")
        async with asyncio.timeout(DEADLINE_S):
            while len(hasty.connections):
                try:
                    async with asyncio.timeout(0.5):
                        await flooding.send(b"f FETCH 1:* (FLAGS UID INTERNALDATE)\r\n" * 100)
                except (TimeoutError, ConnectionError):
                    await until_gone(hasty)

    assert resident_octets() - before < 24 * 1024 * 1024


async def test_many_connections_at_once(tmp_path: Path) -> None:
    """Strangers that say nothing keep nobody out, and are sent away together."""
    async with running_imap(tmp_path, limits=ImapLimits(login_s=4, connections_per_ip=CROWD)) as server:
        storm = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(300)]
        async with imap_client(server.port) as client:
            await client.login()
            await until_gone(server, but=1)
            await client.talk("C: a NOOP\nS: a OK …")
        for reader, writer in storm:
            assert b"* BYE Too long without a login" in await reader.read()
            writer.close()


def resident_octets() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.parametrize(
    "flood",
    [
        b"a LOGIN" + b" {4000+}\r\n" + b"x" * 4_000,
        b"a AUTHENTICATE PLAIN " + b"A" * 15_000,
        b"a ID (" + b" {1000+}\r\n" * 3 + b"x" * 900,
        b"a APPEND x CATENATE (URL {4000+}\r\n" + b"x" * 3_900,
    ],
)
async def test_memory_exhaustion_by_strangers(tmp_path: Path, flood: bytes) -> None:
    """CVE-2025-61600, CVE-2024-34055: 200 of them, each with as much of a command as it may leave open."""
    async with running_imap(tmp_path, limits=ImapLimits(connections_per_ip=CROWD)) as server:
        await fill(server, 1, b"A: b\r\n\r\n")
        before = resident_octets()
        strangers = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(200)]
        for reader, writer in strangers:
            await reader.readline()
            writer.write(flood)
        async with imap_client(server.port) as client:
            await client.login()

        assert resident_octets() - before < 200 * 200 * 1024
        for _, writer in strangers:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for _, writer in strangers), return_exceptions=True)


async def test_a_session_with_compression_costs_little(tmp_path: Path) -> None:
    """RFC 4978: 100 of them, client's side not counted: the stated 90 KB, and what every session costs."""
    async with running_imap(tmp_path, limits=ImapLimits(connections_per_ip=CROWD)) as server:
        clients = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(100)]
        for _, writer in clients:
            writer.write(b"a LOGIN u0 pw\r\n")
        for reader, _ in clients:
            while not (line := await reader.readline()).startswith(b"a OK"):
                assert line.startswith(b"* "), line
        before = resident_octets()
        for reader, writer in clients:
            writer.write(b"b COMPRESS DEFLATE\r\n")
            assert await reader.readline() == b"b OK DEFLATE active\r\n"

        assert resident_octets() - before < 100 * 128 * 1024
        for _, writer in clients:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for _, writer in clients), return_exceptions=True)
