"""One connection, read and written with deadlines, that can switch to TLS and to compression on the way.

The only user of asyncio's streams. Reads are whole chunks: framing belongs to the machines in wire/.
"""

import asyncio
import os
import pwd
import socket
import ssl
from contextlib import suppress

from mailstack.model.errors import TryAgainLater
from mailstack.model.networks import THIS_MACHINE
from mailstack.net.deflation import Deflation

READ_LIMIT_BYTES = 1 << 16
FULL_SOCKET_S = 0.1
DROPPING_S = 2.0
DROPPED_OCTETS = 1 << 20


class Stream:
    """peer: the other end's (host, port), as the socket has it; came_from: the client's host instead, where a proxy
    connects for one."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, came_from: str = "") -> None:
        self._reader = reader
        self._writer = writer
        self._deflation: Deflation | None = None
        name = writer.get_extra_info("peername")
        host, port = (str(name[0]), int(name[1])) if isinstance(name, tuple) else ("", 0)
        self.peer: tuple[str, int] = (came_from or host, port)
        local = writer.get_extra_info("sockname")
        self.local: tuple[str, int] = (str(local[0]), int(local[1])) if isinstance(local, tuple) else ("", 0)

    @property
    def tls(self) -> ssl.SSLObject | None:
        found = self._writer.get_extra_info("ssl_object")
        return found if isinstance(found, ssl.SSLObject) else None

    async def read(self, *, timeout_s: float, at_most: int = READ_LIMIT_BYTES) -> bytes:
        """Whatever has come, b"" when the peer has closed. Raises TimeoutError, ConnectionError."""
        async with asyncio.timeout(timeout_s):
            if self._deflation is not None:
                return await self._read_inflated(self._deflation, at_most)
            return await self._reader.read(at_most)

    def acknowledge_at_once(self) -> None:
        """What comes next. A peer that writes in small pieces sends the second once the first is acknowledged (Nagle),
        and Linux takes up to 40 ms for that where it expects us to answer.
        """
        connected = self._writer.get_extra_info("socket")
        if connected is not None and hasattr(socket, "TCP_QUICKACK"):
            with suppress(OSError):
                connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    async def write(self, *chunks: bytes, timeout_s: float) -> None:
        """Returns when the buffer is low again: a peer that does not read holds up its own session and no other.

        Raises TimeoutError, ConnectionError.
        """
        if self._deflation is not None:
            chunks = (self._deflation.deflate(chunks),)
        self._writer.writelines(chunks)
        async with asyncio.timeout(timeout_s):
            await self._writer.drain()

    @property
    def is_deflated(self) -> bool:
        return self._deflation is not None

    def start_deflate(self) -> None:
        """RFC 4978 §3: from the next octet on, both ways; TLS lies below it."""
        self._deflation = Deflation()

    async def start_tls(self, context: ssl.SSLContext, *, timeout_s: float, server_hostname: str | None = None) -> None:
        """server_hostname: set by clients. Raises TimeoutError, ConnectionError, ssl.SSLError.

        Bytes that came before the handshake would be read as if they had been protected (CVE-2011-0411): the caller's
        machine drops what it holds, and a stream that still holds some ends here.
        """
        if self._buffered():
            self.abort()
            raise ConnectionAbortedError("plain text after STARTTLS")
        async with asyncio.timeout(timeout_s):
            await self._writer.start_tls(context, server_hostname=server_hostname, ssl_handshake_timeout=timeout_s)

    async def _read_inflated(self, deflation: Deflation, at_most: int) -> bytes:
        inflated = deflation.inflate(b"", at_most) if deflation.may_have_more else b""
        while not inflated and not deflation.is_ended:
            data = await self._reader.read(at_most)
            if not data:
                return b""
            inflated = deflation.inflate(data, at_most)
        return inflated

    def _buffered(self) -> bool:
        # StreamReader offers no public look at what it holds; the private name has been stable since 3.4.
        return bool(self._reader._buffer)  # type: ignore[attr-defined]  # noqa: SLF001

    async def drop_rest(self) -> None:
        """Ends what is sent, and drops what the peer sends for a moment more: to close over octets that nobody read has
        the system reset the connection, and the peer would lose what it was told last. Never raises."""
        left = DROPPED_OCTETS
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(DROPPING_S):
                if self._writer.can_write_eof():
                    self._writer.write_eof()
                while left > 0 and (data := await self._reader.read(READ_LIMIT_BYTES)):
                    left -= len(data)

    async def close(self) -> None:
        """Sends what is written, then closes; never raises, never waits long."""
        self._writer.close()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(2):
                await self._writer.wait_closed()

    @property
    def is_closed(self) -> bool:
        """By either side, as far as it is known here: who only stopped sending may still read."""
        return self._writer.is_closing()

    @property
    def is_quiet(self) -> bool:
        """Open both ways, and nothing has come that was not read."""
        return not (self._writer.is_closing() or self._reader.at_eof() or self._buffered())

    def abort(self) -> None:
        self._writer.transport.abort()


async def dial(host: str, port: int, *, timeout_s: float, source: str = "") -> Stream:
    """host: an address, no name. source: of this machine, "" for what the system chooses. Raises TryAgainLater with the
    operating system's reason."""
    try:
        async with asyncio.timeout(timeout_s):
            connected = await _connected(host, port, source)
            reader, writer = await asyncio.open_connection(sock=connected, limit=READ_LIMIT_BYTES)
    except (OSError, TimeoutError) as fault:
        why = os.strerror(fault.errno) if fault.errno else str(fault) or "timed out"
        raise TryAgainLater(f"connect to {host} port {port}: {why}") from fault
    return Stream(reader, writer)


async def dial_socket(path: str, *, timeout_s: float) -> Stream:
    """A unix socket on this machine. Raises TryAgainLater with what there is to be done."""
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await _socket_opened(path)
    except (OSError, TimeoutError) as fault:
        raise TryAgainLater(_why_not(path, fault)) from fault
    return Stream(reader, writer, came_from=THIS_MACHINE)


async def _socket_opened(path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    while True:
        try:
            return await asyncio.open_unix_connection(path, limit=READ_LIMIT_BYTES)
        except BlockingIOError:  # as many wait there to be let in as may
            await asyncio.sleep(FULL_SOCKET_S)


def _why_not(path: str, fault: OSError) -> str:
    match fault:
        case FileNotFoundError():
            return f"the socket {path} is not there: start the server that makes it, or correct its path in the spec"
        case ConnectionRefusedError():
            return f"nobody listens on the socket {path}: start the server that it belongs to"
        case PermissionError():
            user = pwd.getpwuid(os.geteuid()).pw_name
            return f"the user {user} may not write to the socket {path}, or not enter its folder: permit it"
        case TimeoutError():
            return f"the server behind the socket {path} lets nobody in: timed out"
        case _:
            return f"the socket {path}: {fault.strerror or fault}"


async def _connected(host: str, port: int, source: str) -> socket.socket:
    found = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        found.setblocking(False)
        if source:
            _bind(found, source)
        await asyncio.get_running_loop().sock_connect(found, (host, port))
    except BaseException:  # whatever it was: nothing is left open, and it goes on
        found.close()
        raise
    return found


def _bind(unbound: socket.socket, source: str) -> None:
    # An address that went since it was chosen stops no mail: the system chooses another.
    with suppress(OSError):
        # The port is found at connect, among all that are free to this peer; else 28,000 connections to anywhere, and
        # those that ended a minute ago, would use up the address.
        unbound.setsockopt(socket.IPPROTO_IP, _BIND_ADDRESS_NO_PORT, 1)
    with suppress(OSError):
        unbound.bind((source, 0))


_BIND_ADDRESS_NO_PORT = 24  # Linux's IP_BIND_ADDRESS_NO_PORT, for both families; Python has a name for it from 3.12
