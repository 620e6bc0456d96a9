"""JMAP's pages on a port of loopback, as a worker has them."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from secrets import token_bytes
from typing import Any

import httpx
from starlette.routing import Router

from mailstack.net.admission import Admission
from mailstack.net.connections import Connections
from mailstack.servers.http.limits import HttpLimits
from mailstack.servers.http.server import HttpServer
from mailstack.servers.http.service import HttpRole, HttpService
from mailstack.servers.jmap.pages import JmapPages
from mailstack.servers.jmap.service import JmapService
from mailstack.wire.jmap.session import EVENTS_PATH
from tests.support.imap_server import DOMAIN, PASSWORD
from tests.support.running import DEADLINE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedJmap:
    server: HttpServer
    port: int
    connections: Connections
    admission: Admission
    streams: Admission

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def serving_jmap(
    service: JmapService, *, limits: HttpLimits | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[ServedJmap]:
    pages = Router(JmapPages(service=service).routes(), redirect_slashes=False)
    http = HttpService(limits=limits or HttpLimits(), plain=pages, secure=pages, clock=service.clock, token=token_bytes)
    connections, admission, streams = Connections(), Admission("http"), Admission("stream")
    server = HttpServer(lambda: http, connections, admission, streams)
    listening = await asyncio.get_running_loop().create_server(
        server.protocol(HttpRole.SECURE), "127.0.0.1", 0, ssl=tls
    )
    try:
        yield ServedJmap(
            server=server,
            port=listening.sockets[0].getsockname()[1],
            connections=connections,
            admission=admission,
            streams=streams,
        )
    finally:
        listening.close()
        await connections.drain(grace_s=2)
        await listening.wait_closed()


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """name: "" for a block without one, which is no event."""

    name: str
    id: str | None
    data: str


class EventClient:
    """Reads a stream as browsers do, by httpx."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.aiter_lines()

    async def block(self) -> Heard | None:
        """The next event, or what stands for itself; None at the end."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(DEADLINE_S):
            async for line in self._lines:
                if not line and fields:
                    return Heard(name=fields.get("event", ""), id=fields.get("id"), data=fields.get("data", ""))
                name, _, value = line.partition(":")
                if line:
                    fields[name] = value.removeprefix(" ")
        return None

    async def event(self) -> Heard:
        while True:
            block = await self.block()
            assert block is not None, "the stream has ended"
            if block.name:
                return block

    async def until(self, is_so: Callable[[Heard], bool]) -> Heard:
        while not is_so(event := await self.event()):
            pass
        return event


@asynccontextmanager
async def events_of(
    served: ServedJmap,
    query: str = "types=*&closeafter=no&ping=0",
    *,
    login: str | None = f"u0@{DOMAIN}",
    password: str = PASSWORD,
    headers: dict[str, str] | None = None,
) -> AsyncIterator[EventClient]:
    auth: Any = httpx.BasicAuth(login, password) if login else None
    async with (
        httpx.AsyncClient(base_url=served.base_url, auth=auth, timeout=DEADLINE_S) as client,
        client.stream("GET", f"{EVENTS_PATH}?{query}", headers=headers) as response,
    ):
        yield EventClient(response)
