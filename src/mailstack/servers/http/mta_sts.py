"""`/.well-known/mta-sts.txt` under mta-sts.DOMAIN: whether senders must insist on verified TLS. RFC 8461 §3.2, §3.3."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mailstack.servers.http.floor import HOST
from mailstack.servers.http.problem import NO_SUCH_PAGE, Refused

POLICY_HOST = "mta-sts."
"""RFC 8461 §3.2: before the domain's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MtaStsPolicies:
    """by_host: texts, by the whole name of the policy host."""

    by_host: Mapping[str, bytes]

    def routes(self) -> tuple[Route, ...]:
        return (Route("/.well-known/mta-sts.txt", self.show, max_body_size=0),)

    async def show(self, request: Request) -> Response:
        text = self.by_host.get(request.scope["state"][HOST])
        if text is None:
            raise Refused(NO_SUCH_PAGE)
        # RFC 8461 §3.2: text/plain, so that a host for users' uploads cannot be made to publish one.
        return Response(text, media_type="text/plain")
