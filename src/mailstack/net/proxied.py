"""Accepting on a socket that proxies come to: they say first for whom, before TLS too, and others say nothing of it.

A client that its proxy does not name is served as a stranger; a proxy that says something else than a header is hung
up on.
"""

import asyncio
import socket
import ssl
from contextlib import suppress
from functools import partial
from typing import Protocol

import structlog

from mailstack.model.errors import Invalid
from mailstack.model.networks import LOOPBACK, UNNAMED, Networks
from mailstack.net.admission import host_of
from mailstack.net.proxy import Origin, ProxyHeader

HEADER_TIMEOUT_S = 10.0
UNGREETED = 2_000
"""Connections at once whose header or handshake has not ended. For one more, the oldest goes: whoever means it is long
past that by then, and whoever only holds places must not shut the others out."""
RETRY_S = 0.2
"""After a fault of accept itself: with no file left, each next try would fail at once, and take the processor."""

log = structlog.get_logger()


def client_of(origin: Origin, *, proxy: str) -> str:
    """proxy: its address. Raises Invalid.

    UNNAMED where it names nobody: that may be anybody, and the proxy's own address may be trusted more than most.
    """
    # Whoever is on this machine may do here what others may not; no proxy elsewhere can have such a client.
    if origin.host in LOOPBACK and proxy not in LOOPBACK:
        raise Invalid(f"a PROXY header in which {proxy} says that its client is on this machine")
    return origin.host or UNNAMED


class ProtocolFactory(Protocol):
    def __call__(self, came_from: str = "") -> asyncio.Protocol:
        """Of one connection. came_from: the address that a proxy connects for; "" where the socket's peer is the
        client."""
        ...


class ProxiedListener:
    """Begun when made."""

    def __init__(
        self,
        listener: socket.socket,
        factory: ProtocolFactory,
        *,
        proxies: Networks,
        tls: ssl.SSLContext | None,
        handshake_s: float | None,
    ) -> None:
        listener.setblocking(False)
        self._listener = listener
        self._factory = factory
        self._proxies = proxies
        self._tls = tls
        self._handshake_s = handshake_s
        self._loop = asyncio.get_running_loop()
        self._ungreeted: dict[asyncio.Task[None], None] = {}  # oldest first
        self._accepting = self._loop.create_task(self._accept())

    def close(self) -> None:
        """Nobody new comes in; who is in stays."""
        if self._accepting.cancel():
            self._accepting.add_done_callback(lambda _: self._listener.close())

    async def _accept(self) -> None:
        while True:
            try:
                connected, peer = await self._loop.sock_accept(self._listener)
            except OSError as fault:
                log.warning("cannot accept a connection", reason=str(fault))
                await asyncio.sleep(RETRY_S)
                continue
            if len(self._ungreeted) >= UNGREETED:
                oldest = next(iter(self._ungreeted))
                self._forget(oldest)
                oldest.cancel()
            task = self._loop.create_task(self._let_in(connected, host_of(peer)))
            self._ungreeted[task] = None
            task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._ungreeted.pop(task, None)

    async def _let_in(self, connected: socket.socket, host: str) -> None:
        try:
            connected.setblocking(False)
            came_from = client_of(await self._origin(connected), proxy=host) if host in self._proxies else ""
        except (Invalid, TimeoutError, OSError) as fault:
            log.warning("no PROXY header from a proxy", proxy=host, reason=str(fault) or "timed out")
            connected.close()
            return
        except BaseException:
            connected.close()
            raise
        # What asyncio's own server passes over too: no TLS, or gone before it.
        with suppress(OSError, TimeoutError):
            await self._loop.connect_accepted_socket(
                partial(self._factory, came_from), connected, ssl=self._tls, ssl_handshake_timeout=self._handshake_s
            )

    async def _origin(self, connected: socket.socket) -> Origin:
        """Raises Invalid, TimeoutError, OSError."""
        header = ProxyHeader()
        async with asyncio.timeout(HEADER_TIMEOUT_S):
            while True:
                octets = await self._loop.sock_recv(connected, header.wanted)
                if not octets:
                    raise Invalid("hung up")
                origin = header.feed(octets)
                if origin is not None:
                    return origin
