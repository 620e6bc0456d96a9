"""Who is signed in, by the cookie of their browser; and whether it was one of our own pages that sent it.

A browser sends a cookie along with whatever any page makes it ask. SameSite=Strict keeps ours from that; what is here
holds where it does not. RFC 6265 §8.2; Fetch Metadata (W3C), Sec-Fetch-Site.
"""

import re
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from mailstack.model.web_session import LONGEST_MS
from mailstack.servers.http.asked import base_url, peer_host
from mailstack.servers.http.problem import Problem, Refused
from mailstack.services.identity.web_logins import WebLogin, WebLogins

# RFC 6265bis §4.1.3.2: kept by the browser for this host alone, and sent over TLS alone.
COOKIE = "__Host-mailstack"
SAFE_METHODS = frozenset({"GET", "HEAD"})
NOT_SIGNED_IN = Problem(status=401, title="You are not signed in")
FROM_ELSEWHERE = Problem(status=403, title="Asked by a page of another site")

_COOKIE_VALUE = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """Finds who asks. Raises Refused throughout."""

    web_logins: WebLogins

    async def find(self, request: Request) -> WebLogin | None:
        """None: without a cookie, or with one that is good for nothing any more. 403 for a good one that another site
        has sent."""
        cookie = request.cookies.get(COOKIE, "")
        if _COOKIE_VALUE.fullmatch(cookie) is None:
            return None
        require_own_page(request)
        return await self.web_logins.find(cookie, peer_host=peer_host(request))

    async def require(self, request: Request) -> WebLogin:
        found = await self.find(request)
        if found is None:
            raise Refused(NOT_SIGNED_IN)
        return found


def require_own_page(request: Request) -> None:
    """Raises Refused. Opening a page by its address, or by a link of another site, only shows it."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    is_shown = request.method in SAFE_METHODS and request.headers.get("sec-fetch-mode") == "navigate"
    if site == "same-origin" or (site is not None and is_shown):
        return
    if site is None and origin is not None and origin == base_url(request):
        return
    # Programs other than browsers send neither, and no browser leaves out both where a page asks for a change.
    if site is None and origin is None and request.method in SAFE_METHODS:
        return
    raise Refused(FROM_ELSEWHERE)


def give_cookie(response: Response, cookie: str) -> None:
    response.set_cookie(COOKIE, cookie, max_age=LONGEST_MS // 1000, secure=True, httponly=True, samesite="strict")


def take_cookie(response: Response) -> None:
    response.delete_cookie(COOKIE, secure=True, httponly=True, samesite="strict")
