"""Proxies and others at one socket, with and without TLS."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trustme

from mailstack.model.networks import Networks, networks_of
from mailstack.net import proxied
from mailstack.net.admission import host_of
from mailstack.net.listen import accept_streams
from mailstack.net.stream import Stream

DEADLINE_S = 30.0
PROXY, OTHER = "127.0.0.2", "127.0.0.3"
HEADER = b"PROXY TCP4 192.0.2.1 203.0.113.9 4711 25\r\n"


async def tell_peer(stream: Stream) -> None:
    """Says whom it takes the client for, then the client's own words."""
    await stream.write(host_of(stream.peer).encode() + b"\n", timeout_s=DEADLINE_S)
    while data := await stream.read(timeout_s=DEADLINE_S):
        await stream.write(data, timeout_s=DEADLINE_S)
    await stream.close()


@asynccontextmanager
async def listening(proxies: Networks, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = await accept_streams(listener, tell_peer, tls=tls, proxies=proxies)
    try:
        async with asyncio.timeout(DEADLINE_S):
            yield listener.getsockname()[1]
    finally:
        server.close()
        await asyncio.sleep(0)  # a cancelled task ends at its next turn


async def said_to(port: int, words: bytes, *, source: str = PROXY) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
    try:
        writer.write(words)
        writer.write_eof()
        return await reader.read()
    except OSError:  # it was closed before we had said all
        return b""
    finally:
        writer.close()


async def test_the_client_of_a_named_proxy_is_who_it_says() -> None:
    async with listening(networks_of((PROXY,))) as port:
        assert await said_to(port, HEADER + b"hello") == b"192.0.2.1\nhello"
        assert await said_to(port, b"PROXY UNKNOWN\r\nhello") == f"{PROXY}\nhello".encode()


async def test_a_named_proxy_that_says_something_else_is_hung_up_on() -> None:
    async with listening(networks_of((PROXY,))) as port:
        assert await said_to(port, b"EHLO client.example\r\n") == b""
        assert await said_to(port, HEADER[:20]) == b""


async def test_nobody_else_is_believed() -> None:
    # maddy GHSA-rpmv-mh3g-cf5c: whoever could connect chose whom the server took them for.
    async with listening(networks_of((PROXY,))) as port:
        assert await said_to(port, HEADER, source=OTHER) == f"{OTHER}\n".encode() + HEADER
    async with listening(Networks()) as port:
        assert await said_to(port, HEADER) == f"{PROXY}\n".encode() + HEADER


async def test_a_proxy_that_says_nothing_is_hung_up_on_and_keeps_nobody_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(proxied, "HEADER_TIMEOUT_S", 0.05)
    async with listening(networks_of((PROXY,))) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(PROXY, 0))
        assert await said_to(port, b"hello", source=OTHER) == f"{OTHER}\nhello".encode()
        assert await reader.read() == b""
        writer.close()


async def test_the_header_comes_before_tls() -> None:
    authority = trustme.CA()
    server_tls, client_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("mail.example.com").configure_cert(server_tls)
    authority.configure_trust(client_tls)
    async with listening(networks_of((PROXY,)), server_tls) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(PROXY, 0))
        writer.write(HEADER)
        await writer.start_tls(client_tls, server_hostname="mail.example.com")
        assert await reader.readline() == b"192.0.2.1\n"
        writer.close()


async def test_an_accept_that_fails_for_want_of_files_is_tried_again_and_not_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(proxied, "RETRY_S", 0.01)
    loop = asyncio.get_running_loop()
    accept, tries = loop.sock_accept, 0

    async def failing_twice(listener: socket.socket) -> tuple[socket.socket, object]:
        nonlocal tries
        tries += 1
        if tries <= 2:
            raise OSError(24, "Too many open files")
        return await accept(listener)

    monkeypatch.setattr(loop, "sock_accept", failing_twice)
    async with listening(networks_of((PROXY,))) as port:
        assert await said_to(port, HEADER) == b"192.0.2.1\n"
    assert tries >= 3


async def test_memory_more_than_so_many_ungreeted_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxied, "UNGREETED", 1)
    async with listening(networks_of((PROXY,))) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(PROXY, 0))
        assert await said_to(port, HEADER) == b""
        writer.write(HEADER)
        writer.close()
