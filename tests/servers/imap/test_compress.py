"""COMPRESS: a dialogue through zlib, once and not twice, and what cannot be read through it."""

import asyncio
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.servers.imap.conftest import message
from tests.support.imap_dialogue import ImapClient, imap_client
from tests.support.imap_server import RunningImap


class DeflatedWriter:
    """As the writer of a client: what is written is deflated from start() on."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.plain = writer
        self.deflater = zlib.compressobj(9, zlib.DEFLATED, -15)

    def write(self, octets: bytes) -> None:
        self.plain.write(self.deflater.compress(octets) + self.deflater.flush(zlib.Z_SYNC_FLUSH))

    async def drain(self) -> None:
        await self.plain.drain()


@asynccontextmanager
async def deflated(port: int) -> AsyncIterator[ImapClient]:
    """A client that is logged in and has switched to DEFLATE, through zlib itself."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for line in (b"", b"a LOGIN u0 pw\r\n", b"b COMPRESS DEFLATE\r\n"):
        writer.write(line)
        said = await reader.readline()
    assert said == b"b OK DEFLATE active\r\n"
    inflated = asyncio.StreamReader()

    async def inflate() -> None:
        inflater = zlib.decompressobj(-15)
        while data := await reader.read(1_000):
            inflated.feed_data(inflater.decompress(data))
        inflated.feed_eof()

    task = asyncio.create_task(inflate())
    try:
        yield ImapClient(inflated, DeflatedWriter(writer))  # type: ignore[arg-type]  # as much of a writer as it needs
    finally:
        writer.close()
        await asyncio.gather(task, writer.wait_closed(), return_exceptions=True)


async def test_commands_and_responses_go_deflated(server: RunningImap) -> None:
    """RFC 4978 §3."""
    large = message(1) + b"a line that repeats itself\r\n" * 50_000
    async with deflated(server.port) as client:
        await client.append(large)
        await client.talk("C: s SELECT INBOX\nS: ...\nS: s OK …\nC: f FETCH 1 (UID BODY.PEEK[])")
        await client.expect(f"* 1 FETCH (UID 1 BODY[] {{{len(large)}}}")
        lines = [await client.line() for _ in range(large.count(b"\r\n"))]
        assert "\r\n".join(lines).encode() + b"\r\n" == large
        await client.talk("S: )\nS: f OK …\nC: i IDLE\nS: + …\nC: DONE\nS: i OK …\nC: z LOGOUT\nS: * BYE …\nS: z OK …")
        await client.expect_end()


async def test_not_twice(server: RunningImap) -> None:
    async with deflated(server.port) as client:
        await client.talk("""
            C: a COMPRESS DEFLATE
            S: a BAD [COMPRESSIONACTIVE] …
            C: b NOOP
            S: b OK …
            C: c STARTTLS
            S: c BAD …
        """)


async def test_not_before_login(stranger: ImapClient) -> None:
    await stranger.talk("C: a COMPRESS DEFLATE\nS: a BAD …")


async def test_what_is_not_deflated_ends_the_connection(client: ImapClient, capsys: pytest.CaptureFixture[str]) -> None:
    await client.talk("C: a COMPRESS DEFLATE\nS: a OK …")
    await client.send(b"\xff" * 100)
    await client.expect_end()
    assert "Traceback" not in capsys.readouterr().out


async def test_memory_exhaustion_by_a_deflated_bomb_meets_the_same_limits(server: RunningImap) -> None:
    """Twenty megabytes of nothing, in twenty kilobytes: a line that is too long."""
    async with deflated(server.port) as client:
        await client.send(b"a NOOP " + b" " * 20_000_000)
        await client.expect("* BYE Line too long")
        async with imap_client(server.port) as other:
            await other.login()


async def test_unauthenticate_ends_it_all(server: RunningImap) -> None:
    """RFC 8437 §4.1."""
    async with deflated(server.port) as client:
        await client.talk("C: a UNAUTHENTICATE\nS: * BYE …\nS: a OK …")
        await client.expect_end()
