"""Accepting on a bound socket, for servers written on Stream and for servers written as asyncio protocols.

Not binding (app/sockets does, before root is dropped). When files run out, both event loops pause or shed new
connections instead of spinning, and the socket stays open.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Protocol

from mailstack.model.networks import NOWHERE, Networks
from mailstack.net.proxied import ProtocolFactory, ProxiedListener
from mailstack.net.stream import READ_LIMIT_BYTES, Stream

BACKLOG = 1024
HANDSHAKE_TIMEOUT_S = 30.0


class Accepting(Protocol):
    def close(self) -> None:
        """Nobody new comes in; who is in stays."""
        ...


async def accept_streams(
    listener: socket.socket,
    serve: Callable[[Stream], Awaitable[None]],
    *,
    tls: ssl.SSLContext | None,
    proxies: Networks = NOWHERE,
) -> Accepting:
    """serve: runs one connection to its end, and closes it. proxies: as accept_protocols has them."""
    loop = asyncio.get_running_loop()

    def streams(came_from: str = "") -> asyncio.Protocol:
        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            # Of a task that was cancelled, at the end of a server, asyncio asks for its fault, and logs what that
            # raises.
            with suppress(asyncio.CancelledError):
                await serve(Stream(reader, writer, came_from=came_from))

        return asyncio.StreamReaderProtocol(
            asyncio.StreamReader(limit=READ_LIMIT_BYTES, loop=loop), connected, loop=loop
        )

    return await accept_protocols(listener, streams, tls=tls, proxies=proxies)


async def accept_protocols(
    listener: socket.socket,
    factory: ProtocolFactory,
    *,
    tls: ssl.SSLContext | None,
    proxies: Networks = NOWHERE,
) -> Accepting:
    """proxies: who is believed for whom they connect, and must say it; nobody else is."""
    handshake_s = HANDSHAKE_TIMEOUT_S if tls else None
    if proxies.networks:
        return ProxiedListener(listener, factory, proxies=proxies, tls=tls, handshake_s=handshake_s)
    return await asyncio.get_running_loop().create_server(
        factory, sock=listener, ssl=tls, backlog=BACKLOG, ssl_handshake_timeout=handshake_s
    )


async def accept_on_socket(listener: socket.socket, factory: Callable[[], asyncio.Protocol]) -> Accepting:
    """listener: a unix socket, whose file is its maker's to remove."""
    return await asyncio.get_running_loop().create_unix_server(factory, sock=listener, backlog=BACKLOG)
