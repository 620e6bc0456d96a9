"""`/metrics`, for the program that watches this server. Whoever asks from the open internet is sent away, in case the
listener is open to it."""

import ipaddress
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mailstack.servers.http.problem import Problem, Refused

PATH = "/metrics"
NOT_FROM_THERE = Problem(status=403, title="Only for this machine and the networks around it")

Scrape = Callable[[str], Awaitable[tuple[bytes, str]]]
"""The text and its media type, by what the request accepts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsPage:
    scrape: Scrape

    def routes(self) -> tuple[Route, ...]:
        return (Route(PATH, self.show, methods=["GET"], max_body_size=0),)

    async def show(self, request: Request) -> Response:
        if request.client is None or not _is_near(request.client.host):
            raise Refused(NOT_FROM_THERE)
        text, media_type = await self.scrape(request.headers.get("accept", ""))
        return Response(text, headers={"content-type": media_type})


def _is_near(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return False
