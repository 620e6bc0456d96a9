"""Which pages a host name has, and the way from `http` to `https`. RFC 9110 §7.4, §15.4.9.

Only names that this server answers for are ever written into a Location: a Host field is anybody's to choose.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from mailstack.servers.http.floor import HOST
from mailstack.servers.http.problem import MISDIRECTED, NO_SUCH_PAGE, Refused

HTTPS_PORT = 443


@dataclass(frozen=True, slots=True, kw_only=True)
class Sites:
    """An ASGI application. by_host: lower-case names without port."""

    by_host: Mapping[str, ASGIApp]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        site = self.by_host.get(scope["state"][HOST])
        if site is None:
            raise Refused(MISDIRECTED)
        await site(scope, receive, send)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToHttps:
    """An ASGI application. port: where https is, None where it is not."""

    by_host: Mapping[str, ASGIApp]
    port: int | None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        host = scope["state"][HOST]
        if host not in self.by_host:
            raise Refused(MISDIRECTED)
        if self.port is None:
            raise Refused(NO_SUCH_PAGE)
        authority = f"[{host}]" if ":" in host else host
        authority += "" if self.port == HTTPS_PORT else f":{self.port}"
        # As it came: read_target let nothing pass that could end the line or change the host.
        target = scope["raw_path"].decode("ascii")
        query = scope["query_string"].decode("ascii")
        location = f"https://{authority}{target}" + (f"?{query}" if query else "")
        # RFC 9110 §15.4.9: 308 keeps method and content.
        await RedirectResponse(location, status_code=308)(scope, receive, send)
