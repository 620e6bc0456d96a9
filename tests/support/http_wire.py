"""An HTTP connection without a network: octets in, octets out, on a transport that keeps them."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from mailstack.net.admission import Admission
from mailstack.net.connections import Connections
from mailstack.servers.http.server import HttpServer
from mailstack.servers.http.service import HttpRole, HttpService

TURNS = 40
"""Of the loop, more than any of the pages needs between two pieces."""


class KeptTransport(asyncio.Transport):
    def __init__(self, protocol: asyncio.Protocol, peer: str = "192.0.2.1") -> None:
        super().__init__()
        self.written = b""
        self._protocol = protocol
        self._peer = peer
        self._is_closing = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return (self._peer, 50_000) if name == "peername" else default

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self._is_closing, "written after the end"
        self.written += data

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        """As good as closed for whoever only listens."""

    def is_closing(self) -> bool:
        return self._is_closing

    def close(self) -> None:
        if not self._is_closing:
            self._is_closing = True
            asyncio.get_running_loop().call_soon(self._protocol.connection_lost, None)

    abort = close

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


async def answered(
    service: Callable[[], HttpService], pieces: Iterable[bytes], role: HttpRole = HttpRole.SECURE
) -> bytes:
    """All that the server says to the pieces."""
    protocol = HttpServer(service, Connections(), Admission(), Admission()).protocol(role)()
    transport = KeptTransport(protocol)
    protocol.connection_made(transport)
    for piece in pieces:
        if transport.is_closing():
            break
        protocol.data_received(piece)
        for _ in range(TURNS):
            await asyncio.sleep(0)
    written = transport.written
    transport.close()
    await asyncio.sleep(0)
    return written
