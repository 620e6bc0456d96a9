"""Pages asked as they are between the connection and the page: through the floor, without a socket."""

from collections.abc import AsyncIterable, Mapping
from secrets import token_bytes

import httpx
from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from mailstack.model.instant import Clock
from mailstack.servers.http.floor import HOST, Floor
from mailstack.servers.http.limits import HttpLimits
from mailstack.servers.http.service import HttpRole, HttpService

PEER = ("203.0.113.7", 40_000)
BASE_URL = "https://mail.peer.test:8443"


def floor_under(pages: Router, clock: Clock) -> ASGIApp:
    service = HttpService(limits=HttpLimits(), plain=pages, secure=pages, clock=clock, token=token_bytes)
    floor = Floor(lambda: service, HttpRole.SECURE)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        # What the connection says of each request.
        scope["state"] = {HOST: scope["server"][0]}
        await floor(scope, receive, send)

    return app


async def asked(
    app: ASGIApp,
    method: str,
    path: str,
    *,
    base_url: str = BASE_URL,
    auth: httpx.Auth | None = None,
    headers: Mapping[str, str] | None = None,
    content: bytes | AsyncIterable[bytes] | None = None,
) -> httpx.Response:
    transport = httpx.ASGITransport(app=app, client=PEER)
    async with httpx.AsyncClient(transport=transport, base_url=base_url, auth=auth) as client:
        return await client.request(method, path, headers=headers, content=content)
