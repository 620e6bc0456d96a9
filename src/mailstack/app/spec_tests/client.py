"""An SMTP client without a socket: it hands lines to the server's own connection and reads what that writes.

So the mails of tests go through every command, limit and refusal that those of strangers go through. RFC 5321.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from mailstack.net.admission import Entrance
from mailstack.net.connections import Connections
from mailstack.servers.smtp.server import smtp_protocol
from mailstack.servers.smtp.service import SmtpRole, SmtpService
from mailstack.wire.smtp.content import write_content
from mailstack.wire.smtp.reply import Reply, ReplyLimits, ReplyParser

PEER_PORT = 25_000
DEADLINE_S = 60.0
"""For one reply; the server answers in milliseconds, or there is an error in it."""


class Hungup(Exception):
    """The server has closed the connection, and no reply is left."""


class Wire:
    """Stands where the connection's socket transport would; replies: whole ones that nobody has taken yet."""

    def __init__(self, client_ip: str) -> None:
        self._client_ip = client_ip
        self._parser = ReplyParser(ReplyLimits())
        self._replies: asyncio.Queue[Reply | None] = asyncio.Queue()
        self._is_closing = False

    async def reply(self) -> Reply:
        async with asyncio.timeout(DEADLINE_S):
            reply = await self._replies.get()
        if reply is None:
            raise Hungup
        return reply

    # What follows is called by the connection.

    def write(self, data: bytes) -> None:
        for reply in self._parser.feed(data):
            self._replies.put_nowait(reply)

    def get_extra_info(self, name: str, default: object = None) -> object:
        return (self._client_ip, PEER_PORT) if name == "peername" else default

    def is_closing(self) -> bool:
        return self._is_closing

    def close(self) -> None:
        self._is_closing = True
        self._replies.put_nowait(None)

    def abort(self) -> None:
        self.close()

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class Client:
    """One connection, from the greeting on."""

    def __init__(self, wire: Wire, protocol: asyncio.Protocol) -> None:
        self._wire = wire
        self._protocol = protocol

    async def greeting(self) -> Reply:
        return await self._wire.reply()

    async def say(self, line: str) -> Reply:
        """line: without CRLF; characters beyond ASCII as UTF-8 (RFC 6531 §3.3)."""
        self._protocol.data_received(line.encode("utf-8", "surrogateescape") + b"\r\n")
        return await self._wire.reply()

    async def send(self, content: bytes) -> Reply:
        """After the 354 to DATA."""
        for piece in write_content(content):
            self._protocol.data_received(piece)
        return await self._wire.reply()


@contextmanager
def connected(service: SmtpService, role: SmtpRole, client_ip: str) -> Iterator[Client]:
    """Nobody is held up for trying out recipients: who runs a test would wait for it."""
    at_once = replace(service, limits=replace(service.limits, first_delay_s=0))
    wire = Wire(client_ip)
    protocol = smtp_protocol(lambda: at_once, role, Connections(), Entrance())()
    protocol.connection_made(wire)  # type: ignore[arg-type]  # as uvloop's, it works alike and inherits from nothing
    try:
        yield Client(wire, protocol)
    finally:
        wire.close()
        protocol.connection_lost(None)
