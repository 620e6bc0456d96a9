"""The API's pages in the process of a test, on stores in memory, with a client that shows tokens."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx
import orjson
from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as AsgiScope

from mailstack.model.errors import TryAgainLater
from mailstack.model.instant import DAY_MS, Instant
from mailstack.model.issuance import IssuanceFailure
from mailstack.model.token import RANDOM_OCTETS, Scope, Token
from mailstack.servers.api.failures import Failures
from mailstack.servers.api.service import ApiService
from mailstack.servers.calls import Answer, Call
from mailstack.servers.http.floor import HOST, Floor
from mailstack.servers.http.limits import HttpLimits
from mailstack.servers.http.service import HttpRole, HttpService
from mailstack.services.identity.tokens import Order, bearer_of, issue
from tests.support.fake_clock import FakeClock
from tests.support.memory_queue import MemoryQueue
from tests.support.memory_state import MemoryState
from tests.support.memory_tokens import MemoryTokens

PEER = ("203.0.113.7", 40_000)


class RecordedCalls:
    """Carries nothing out: remembers what was asked, and answers as it was told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[Call, bytes]] = []
        self.chunks: tuple[bytes, ...] = (b'{"step":"Made"}\n', b'{"step":"Applied"}\n')
        self.status = 200
        self.is_busy = False
        self.closed = 0

    async def carry_out(self, call: Call, content: bytes) -> Answer:
        if self.is_busy:
            raise TryAgainLater("2 plans or applies are under way by the API already")
        self.asked.append((call, content))
        return Answer(status=self.status, media_type="application/x-ndjson", chunks=self._told(), close=self._close)

    async def _close(self) -> None:
        self.closed += 1

    async def _told(self) -> AsyncIterator[bytes]:
        for chunk in self.chunks:
            yield chunk


class NoFailures:
    """Works as ports.issuance.Issuance: every certificate was issued."""

    async def failures(self) -> Mapping[str, IssuanceFailure]:
        return {}

    async def failed(self, failure: IssuanceFailure) -> None: ...

    async def forget(self, name: str) -> None: ...


@dataclass(kw_only=True)
class ApiWorld:
    clock: FakeClock = field(default_factory=FakeClock)
    tokens: MemoryTokens = field(default_factory=MemoryTokens)
    state: MemoryState = field(default_factory=MemoryState)
    queue: MemoryQueue = field(default_factory=MemoryQueue)
    calls: RecordedCalls = field(default_factory=RecordedCalls)

    def __post_init__(self) -> None:
        self._seeds = count(1)
        self._service = ApiService(
            tokens=self.tokens,
            state=self.state,
            queue=self.queue,
            issuance=NoFailures(),
            calls=self.calls,
            running=lambda: {"pid": 1},
            failures=Failures(self.clock),
            clock=self.clock,
            token=self._random,
        )

    async def token(
        self, *scopes: Scope, ends_in_days: int | None = 90, maker: str = "", name: str = "ci"
    ) -> tuple[Token, str]:
        """maker: the text of the token that makes it."""
        ends = None if ends_in_days is None else Instant(self.clock() + ends_in_days * DAY_MS)
        order = Order(name=name, scopes=frozenset(scopes), expires_at=ends)
        bearer = await bearer_of(self.tokens, maker, now=self.clock()) if maker else None
        return await issue(self.tokens, order, maker=bearer, now=self.clock(), random=self._random(RANDOM_OCTETS))

    async def ask(
        self,
        method: str,
        path: str,
        token: str = "",
        *,
        peer: str = PEER[0],
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        **fields: Any,
    ) -> httpx.Response:
        """fields: the content, as JSON."""
        body = content if content is not None else (orjson.dumps(fields) if fields else None)
        shown = {"Authorization": f"Bearer {token}"} if token else {}
        transport = httpx.ASGITransport(app=self._app(), client=(peer, PEER[1]))
        async with httpx.AsyncClient(transport=transport, base_url="https://mail.example.com") as client:
            return await client.request(method, f"/api/v1{path}", headers={**shown, **(headers or {})}, content=body)

    def _random(self, octets: int) -> bytes:
        return next(self._seeds).to_bytes(octets, "little")

    def _app(self) -> ASGIApp:
        pages = Router(self._service.routes(), redirect_slashes=False)
        service = HttpService(limits=HttpLimits(), plain=pages, secure=pages, clock=self.clock, token=self._random)
        floor = Floor(lambda: service, HttpRole.SECURE)

        async def app(scope: AsgiScope, receive: Receive, send: Send) -> None:
            # What the connection says of each request.
            scope["state"] = {HOST: "mail.example.com"}
            await floor(scope, receive, send)

        return app
