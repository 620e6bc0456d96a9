"""Accepting on a bound socket, for servers written on Stream and for servers written as asyncio protocols.

Not binding (app/sockets does, before root is dropped). When files run out, both event loops pause or shed new
connections instead of spinning, and the socket stays open.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress

from mailstack.net.stream import READ_LIMIT_BYTES, Stream

BACKLOG = 1024
HANDSHAKE_TIMEOUT_S = 30.0


async def accept_streams(
    listener: socket.socket, serve: Callable[[Stream], Awaitable[None]], *, tls: ssl.SSLContext | None
) -> asyncio.Server:
    """serve: runs one connection to its end, and closes it."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Of a task that was cancelled, at the end of a server, asyncio asks for its fault, and logs what that raises.
        with suppress(asyncio.CancelledError):
            await serve(Stream(reader, writer))

    return await asyncio.start_server(
        connected,
        sock=listener,
        ssl=tls,
        backlog=BACKLOG,
        limit=READ_LIMIT_BYTES,
        ssl_handshake_timeout=HANDSHAKE_TIMEOUT_S if tls else None,
    )


async def accept_protocols(
    listener: socket.socket, factory: Callable[[], asyncio.Protocol], *, tls: ssl.SSLContext | None
) -> asyncio.Server:
    return await asyncio.get_running_loop().create_server(
        factory,
        sock=listener,
        ssl=tls,
        backlog=BACKLOG,
        ssl_handshake_timeout=HANDSHAKE_TIMEOUT_S if tls else None,
    )
