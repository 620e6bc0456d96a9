"""An HTTP server on loopback with pages that tests steer, and a client that says exactly what it is given."""

import asyncio
import hashlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, Router
from starlette.types import ASGIApp

from mailstack.model.errors import DomainError
from mailstack.model.ids import Generation
from mailstack.net.admission import Admission
from mailstack.net.connections import Connections
from mailstack.servers.http.acme import AcmeProofs
from mailstack.servers.http.health import Health
from mailstack.servers.http.limits import HttpLimits
from mailstack.servers.http.metrics import MetricsPage
from mailstack.servers.http.mta_sts import MtaStsPolicies
from mailstack.servers.http.server import HttpServer
from mailstack.servers.http.service import HttpRole, HttpService
from mailstack.servers.http.sites import Sites, ToHttps
from mailstack.servers.http.unsubscribe import UnsubscribePage
from mailstack.store.memory.accounts import MemoryAccounts
from mailstack.store.memory.unsubscribed import MemoryUnsubscribed
from tests.support.fake_clock import FakeClock
from tests.support.mailing_lists import make_forwarding, make_lists
from tests.support.memory_accounts import make_domain
from tests.support.memory_challenges import MemoryChallenges
from tests.support.memory_state import MemoryState
from tests.support.running import DEADLINE_S

HOSTNAME = "mail.example.com"
SMALL_BODY = 1_000
FIGURES = b"figures 1\n"


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes


class HttpClient:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        """A server that has hung up already is as good as one that reads."""
        try:
            self._writer.write(data)
            async with asyncio.timeout(DEADLINE_S):
                await self._writer.drain()
        except ConnectionError:
            pass

    async def reply(self, method: str = "GET") -> Reply:
        async with asyncio.timeout(DEADLINE_S):
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            status_line, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
            version, status, _ = status_line.split(" ", 2)
            assert version == "HTTP/1.1"
            fields = [line.split(": ", 1) for line in lines]
            headers = {name.lower(): value for name, value in fields}
            assert len(headers) == len(fields), f"a field twice: {head}"
            has_body = method != "HEAD" and status not in ("100", "204", "304")
            size = int(headers.get("content-length", "0")) if has_body else 0
            return Reply(int(status), headers, await self._reader.readexactly(size))

    async def ask(self, data: bytes, method: str = "GET") -> Reply:
        await self.send(data)
        return await self.reply(method)

    async def expect_end(self) -> None:
        async with asyncio.timeout(DEADLINE_S):
            try:
                assert await self._reader.read() == b""
            except ConnectionResetError:
                pass  # what we sent was not read any more

    async def half_close(self) -> None:
        self._writer.write_eof()

    async def close(self) -> None:
        self._writer.close()
        try:
            async with asyncio.timeout(DEADLINE_S):
                await self._writer.wait_closed()
        except OSError:
            pass


@dataclass
class HttpWorld:
    """Change what a test needs before it connects; `service` is asked for each request. gate: what `/wait` waits for;
    entered: requests that came so far to it, or to
    `/until-gone`; left: those of the latter that were told that nobody waits for them."""

    connections: Connections = field(default_factory=Connections)
    admission: Admission = field(default_factory=Admission)
    streams: Admission = field(default_factory=Admission)
    clock: FakeClock = field(default_factory=FakeClock)
    state: MemoryState = field(default_factory=MemoryState)
    challenges: MemoryChallenges = field(default_factory=MemoryChallenges)
    limits: HttpLimits = field(default_factory=HttpLimits)
    policies: dict[str, bytes] = field(default_factory=dict)
    generation: int = 1
    https_port: int | None = 443
    accounts: MemoryAccounts = field(default_factory=lambda: MemoryAccounts(domains=(make_domain("example.com"),)))
    unsubscribed: MemoryUnsubscribed = field(default_factory=MemoryUnsubscribed)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    fault: Exception = field(default_factory=DomainError)
    entered: int = 0
    left: int = 0
    port: int = 0
    _tokens: int = 0
    _clients: list[HttpClient] = field(default_factory=list)

    def service(self) -> HttpService:
        health = Health(state=self.state, generation=Generation(self.generation))
        proofs = AcmeProofs(challenges=self.challenges, clock=self.clock)
        lists = make_lists(make_forwarding(self.accounts), self.clock, unsubscribed=self.unsubscribed)
        unsubscribe = UnsubscribePage(lists=lists).routes()
        own = Router((*self._pages(self.generation), *unsubscribe), redirect_slashes=False)
        policy = Router(MtaStsPolicies(by_host=self.policies).routes(), redirect_slashes=False)
        sites: dict[str, ASGIApp] = {
            **dict.fromkeys(self.policies, policy),
            HOSTNAME: own,
            "127.0.0.1": own,
            "::1": own,
        }
        to_https = ToHttps(by_host=sites, port=self.https_port)
        return HttpService(
            limits=self.limits,
            plain=Router((*health.routes(), *proofs.routes()), redirect_slashes=False, default=to_https),
            secure=Router(health.routes(), redirect_slashes=False, default=Sites(by_host=sites)),
            figures=Router((*health.routes(), *MetricsPage(scrape=_scrape).routes()), redirect_slashes=False),
            clock=self.clock,
            token=self.token,
        )

    def token(self, size: int) -> bytes:
        self._tokens += 1
        return hashlib.sha256(str(self._tokens).encode()).digest()[:size]

    def limit(self, **changes: int | float) -> None:
        self.limits = replace(self.limits, **changes)  # type: ignore[arg-type]  # names are checked by replace

    async def connect(self, *, tls: ssl.SSLContext | None = None, name: str | None = None) -> HttpClient:
        async with asyncio.timeout(DEADLINE_S):
            streams = await asyncio.open_connection("127.0.0.1", self.port, ssl=tls, server_hostname=name)
        self._clients.append(HttpClient(*streams))
        return self._clients[-1]

    async def close_clients(self) -> None:
        for client in self._clients:
            await client.close()

    def _pages(self, generation: int) -> list[Route]:
        async def told(request: Request) -> Response:
            return JSONResponse({"generation": generation, "fields": dict(request.headers), "path": request.url.path})

        async def echo(request: Request) -> Response:
            return PlainTextResponse(await request.body())

        async def wait(_request: Request) -> Response:
            self.entered += 1
            await self.gate.wait()
            return PlainTextResponse(str(generation))

        async def until_gone(request: Request) -> Response:
            self.entered += 1
            while (await request.receive())["type"] != "http.disconnect":
                pass
            self.left += 1
            return Response()

        async def fail(_request: Request) -> Response:
            raise self.fault

        async def large(_request: Request) -> Response:
            return Response(b"x" * 8_000_000)

        async def stream(_request: Request) -> Response:
            return StreamingResponse(iter([b"one ", b"two ", b"three"]), media_type="text/plain")

        return [
            Route("/told", told),
            Route("/stream", stream),
            Route("/told/{rest:path}", told),
            Route("/echo", echo, methods=["POST"]),
            Route("/small", echo, methods=["POST"], max_body_size=SMALL_BODY),
            Route("/wait", wait, methods=["GET", "POST"]),
            Route("/until-gone", until_gone),
            Route("/fail", fail),
            Route("/large", large),
        ]


async def _scrape(accept: str) -> tuple[bytes, str]:
    return FIGURES, accept


@asynccontextmanager
async def serving(
    world: HttpWorld, role: HttpRole = HttpRole.SECURE, *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[HttpWorld]:
    loop = asyncio.get_running_loop()
    factory = HttpServer(world.service, world.connections, world.admission, world.streams).protocol(role)
    server = await loop.create_server(factory, "127.0.0.1", 0, ssl=tls)
    world.port = server.sockets[0].getsockname()[1]
    try:
        yield world
    finally:
        await world.close_clients()
        server.close()
        world.gate.set()
        await world.connections.drain(grace_s=5)
        await server.wait_closed()
