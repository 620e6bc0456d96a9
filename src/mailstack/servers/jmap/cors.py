"""Web pages of any origin may be JMAP clients: they send a password of their own, never one that a browser keeps.

Fetch standard, CORS protocol. RFC 8620 §8.2 asks for no more than an Authorization field.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import structlog
from starlette.requests import Request
from starlette.responses import Response

from mailstack.model.errors import DomainError
from mailstack.servers.http.errors import problem_of
from mailstack.servers.http.problem import Refused

# Without Access-Control-Allow-Credentials: what a browser knows by itself is not sent along.
FOR_ALL = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Content-Disposition, Content-Range, ETag, WWW-Authenticate",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
PREFLIGHT = {
    **FOR_ALL,
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    # The wildcard would not stand for Authorization.
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Range, Last-Event-ID, Range",
    "Access-Control-Max-Age": "86400",
}

log = structlog.get_logger()

Page = Callable[[Request], Awaitable[Response]]


def for_all_origins(page: Page) -> Page:
    """Refusals too, which a page's script could not read otherwise."""

    async def answer(request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=PREFLIGHT)
        try:
            response = await page(request)
        except Refused as refused:
            problem = refused.problem
        except DomainError as fault:
            log.info("refused", error=type(fault).__name__, detail=fault.detail)
            problem = problem_of(fault)
        else:
            response.headers.update(FOR_ALL)
            return response
        raise Refused(replace(problem, headers={**problem.headers, **FOR_ALL}))

    return answer
