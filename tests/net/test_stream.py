"""Connections: deadlines, the switch to TLS, and ends that raise nothing."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
import trustme

from mailstack.model.errors import TryAgainLater
from mailstack.net.stream import Stream, dial


@dataclass
class Far:
    """The other end, in the test's hands."""

    port: int = 0
    ends: "asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]]" = field(default_factory=asyncio.Queue)

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self.ends.put((reader, writer))


@pytest.fixture
async def far() -> AsyncIterator[Far]:
    found = Far()
    server = await asyncio.start_server(found.accept, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    async with server:
        yield found


@dataclass
class Pair:
    near: Stream
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


@pytest.fixture
async def pair(far: Far) -> AsyncIterator[Pair]:
    near = await dial("127.0.0.1", far.port, timeout_s=5)
    reader, writer = await far.ends.get()
    yield Pair(near, reader, writer)
    near.abort()
    writer.transport.abort()
    await asyncio.sleep(0)


async def test_a_connection_leaves_from_the_address_it_is_told() -> None:
    seen: list[str] = []

    async def note(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(writer.get_extra_info("peername")[0])
        writer.close()

    async with await asyncio.start_server(note, "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        for source in ("127.0.0.5", "192.0.2.77", ""):  # the second is not of this machine
            near = await dial("127.0.0.1", port, timeout_s=5, source=source)
            await near.read(timeout_s=5)
            await near.close()
    assert seen == ["127.0.0.5", "127.0.0.1", "127.0.0.1"]


async def test_bytes_go_both_ways(pair: Pair, far: Far) -> None:
    assert (pair.near.peer, pair.near.tls) == (("127.0.0.1", far.port), None)
    await pair.near.write(b"one ", b"two", timeout_s=5)
    assert await pair.reader.readexactly(7) == b"one two"
    pair.writer.write(b"three")
    assert await pair.near.read(timeout_s=5) == b"three"
    pair.writer.close()
    assert await pair.near.read(timeout_s=5) == b""


async def test_acknowledging_at_once_may_be_asked_for_at_any_time(pair: Pair) -> None:
    pair.near.acknowledge_at_once()
    pair.writer.write(b"one")
    assert await pair.near.read(timeout_s=5) == b"one"
    await pair.near.close()
    pair.near.acknowledge_at_once()


async def test_silence_ends_at_the_deadline(pair: Pair) -> None:
    with pytest.raises(TimeoutError):
        await pair.near.read(timeout_s=0.05)


async def test_a_peer_that_reads_nothing_ends_at_the_deadline(pair: Pair) -> None:
    with pytest.raises(TimeoutError):
        await pair.near.write(b"x" * 50_000_000, timeout_s=0.2)


async def test_nobody_there_is_a_passing_fault(far: Far) -> None:
    with pytest.raises(TryAgainLater, match=r"connect to 127\.0\.0\.1 port 1: Connection refused$"):
        await dial("127.0.0.1", 1, timeout_s=5)


async def test_plain_text_that_came_before_the_handshake_ends_the_connection(pair: Pair) -> None:  # CVE-2011-0411
    pair.writer.write(b"220 go\r\n250 AUTH PLAIN\r\n")
    assert await pair.near.read(timeout_s=5, at_most=8) == b"220 go\r\n"
    with pytest.raises(ConnectionAbortedError):
        await pair.near.start_tls(ssl.create_default_context(), timeout_s=5, server_hostname="mx.test")


async def test_the_switch_to_tls_verifies_the_name(pair: Pair) -> None:
    authority = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("mx.test").configure_cert(server)
    authority.configure_trust(client)
    accepting = asyncio.create_task(pair.writer.start_tls(server))
    await pair.near.start_tls(client, timeout_s=5, server_hostname="mx.test")
    await accepting
    assert pair.near.tls is not None
    await pair.near.write(b"secret", timeout_s=5)
    assert await pair.reader.readexactly(6) == b"secret"


async def test_a_handshake_that_nobody_answers_ends_at_the_deadline(pair: Pair) -> None:
    with pytest.raises((TimeoutError, ConnectionError)):
        await pair.near.start_tls(ssl.create_default_context(), timeout_s=0.1, server_hostname="mx.test")


async def test_closing_twice_raises_nothing(pair: Pair) -> None:
    pair.writer.transport.abort()
    await pair.near.close()
    await pair.near.close()
    pair.near.abort()


async def test_what_was_said_last_reaches_a_peer_that_goes_on_sending(pair: Pair) -> None:
    pair.writer.write(b"x" * 300_000)
    await pair.near.read(timeout_s=5)
    await pair.near.write(b"goodbye", timeout_s=5)
    dropping = asyncio.create_task(pair.near.drop_rest())
    assert await pair.reader.read() == b"goodbye"
    pair.writer.close()
    await dropping
    await pair.near.close()


async def test_a_peer_that_never_ends_is_not_waited_for(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailstack.net.stream.DROPPING_S", 0.01)
    await pair.near.drop_rest()
    await pair.near.close()
    assert await pair.reader.read() == b""
