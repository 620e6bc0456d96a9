"""Proxies and others at one socket, with and without TLS."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager

import pytest
import trustme
import uvloop

from mailstack.model.errors import Invalid
from mailstack.model.networks import LOOPBACK, UNNAMED, Networks, networks_of
from mailstack.net import proxied
from mailstack.net.admission import host_of
from mailstack.net.listen import accept_streams
from mailstack.net.proxied import client_of
from mailstack.net.proxy import SIGNATURE, Origin
from mailstack.net.stream import Stream
from tests.support.running import DEADLINE_S

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


@pytest.mark.parametrize("header", [b"PROXY UNKNOWN\r\n", SIGNATURE + b"\x20\0\0\0", SIGNATURE + b"\x21\0\0\0"])
async def test_whom_a_proxy_does_not_name_is_not_taken_for_the_proxy(header: bytes) -> None:
    """Who is on this machine, as the proxy is, is trusted as no stranger is."""
    async with listening(networks_of((PROXY,))) as port:
        assert await said_to(port, header + b"hello") == f"{UNNAMED}\nhello".encode()
    assert UNNAMED not in LOOPBACK


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


@pytest.mark.parametrize(
    ("client", "proxy", "is_believed"),
    [
        ("127.0.0.1", "192.0.2.7", False),
        ("127.255.0.9", "192.0.2.7", False),
        ("::1", "2001:db8::7", False),
        ("198.51.100.1", "192.0.2.7", True),
        ("10.0.0.1", "192.0.2.7", True),
        ("127.0.0.1", "127.0.0.2", True),
        ("::1", "127.0.0.1", True),
    ],
)
def test_no_proxy_elsewhere_has_clients_on_this_machine(client: str, proxy: str, is_believed: bool) -> None:
    """Who is here need not encrypt, is not checked as strangers are, and may hand over mail by LMTP."""
    if is_believed:
        assert client_of(Origin(client), proxy=proxy) == client
    else:
        with pytest.raises(Invalid):
            client_of(Origin(client), proxy=proxy)


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


async def test_memory_of_more_than_so_many_ungreeted_the_oldest_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxied, "UNGREETED", 2)
    async with listening(networks_of((PROXY,))) as port:
        silent = [await asyncio.open_connection("127.0.0.1", port, local_addr=(PROXY, 0)) for _ in range(5)]
        assert await said_to(port, HEADER + b"hello") == b"192.0.2.1\nhello"
        # Who holds places without a word shuts nobody out, and keeps no more than so many.
        assert [await reader.read() for reader, _ in silent[:3]] == [b""] * 3
        for _, writer in silent:
            writer.close()


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_memory_nor_do_handshakes_that_never_end_shut_anybody_out(
    monkeypatch: pytest.MonkeyPatch, run: Callable[[Coroutine[None, None, None]], None]
) -> None:
    monkeypatch.setattr(proxied, "UNGREETED", 2)
    run(_meet_silent_handshakes())


async def _meet_silent_handshakes() -> None:
    authority = trustme.CA()
    server_tls, client_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("mail.example.com").configure_cert(server_tls)
    authority.configure_trust(client_tls)
    async with listening(networks_of((PROXY,)), server_tls) as port:
        silent = [await asyncio.open_connection("127.0.0.1", port, local_addr=(OTHER, 0)) for _ in range(5)]
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, local_addr=(OTHER, 0), ssl=client_tls, server_hostname="mail.example.com"
        )
        assert await reader.readline() == f"{OTHER}\n".encode()
        writer.close()
        assert await silent[0][0].read() == b""
        for _, held in silent:
            held.close()
