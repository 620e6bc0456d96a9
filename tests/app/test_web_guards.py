"""What every page of this server keeps to, one that is made tomorrow too: all routes are walked as they are put
together for a generation.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path

import httpx
import orjson
import pytest
from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send

from mailstack.app.build import Adapters
from mailstack.model.resource import DomainBody, Kind, Resource, fields_of
from mailstack.servers.http.floor import HOST, Floor
from mailstack.servers.http.service import HttpRole, HttpService
from mailstack.servers.http.signed_in import COOKIE
from mailstack.servers.http.sites import Sites
from mailstack.services.identity.passwords import HashCost, hash_password
from tests.app.test_web import HOSTNAME, adapters, domain_body, web
from tests.support.http_wire import answered
from tests.support.stores import account_resource, apply, created

__all__ = ["adapters"]  # a fixture

LOGIN, PASSWORD = "alice@example.com", "a good password"
OWN = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}
ELSEWHERE = (
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors", "Origin": "https://evil.example"},
    {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
)
# Whose page a change is that nobody's script asked for: a form of another site, sent by its reader.
FORMS_OF_ELSEWHERE: tuple[dict[str, str], ...] = (
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"},
    {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"},
    {},
)
# Anybody may ask these, from anywhere; they tell nothing that is somebody's, and change nothing by a cookie. The
# profile of a phone is for whoever has its link, which is good once.
FOR_ALL = re.compile(
    r"/|/mail|/mail/worker\.js|/(?:mail|account|admin)/assets/.*|/healthz.*|/readyz|/metrics|/lists/unsubscribe|/api/v1/openapi\.json"
    r"|/mail/config-v1\.1\.xml|/(?:a|A)utodiscover/.*|(?:/account/phone|/profile)\.mobileconfig|/\.well-known/(?!jmap).*"
)
# Whoever is not signed in is asked to be, by a page.
ASKS_TO_SIGN_IN = re.compile(r"/account|/admin(?:/.*)?")
# A token in the Authorization field, and nothing else.
BY_TOKEN = re.compile(r"/api/.*")
# Mail is read by scripts of any site that send a password of their own.
FOR_ALL_ORIGINS = re.compile(r"/jmap/.*|/\.well-known/jmap")
KEPT = re.compile(r"/(?:mail|account|admin)/assets/.*|/jmap/download/.*|/mail/picture/.*|/mail/shown/.*")
# What needs a connection to go on.
WEB_SOCKET, EVENTS = "/jmap/ws", "/jmap/events"
CHANGING = frozenset({"POST", "PUT", "DELETE", "PATCH"})


class Web:
    def __init__(self, service: HttpService) -> None:
        floor = Floor(lambda: service, HttpRole.SECURE)

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            scope["state"] = {HOST: scope["server"][0]}
            await floor(scope, receive, send)

        self._app = app
        self.service = service
        self.cookie = ""

    def routes(self) -> Iterator[tuple[str, str, str]]:
        """Host, method and path of each."""
        assert isinstance(self.service.secure, Router)
        sites = self.service.secure.default
        assert isinstance(sites, Sites)
        for host, site in {"10.0.0.1": self.service.secure, **sites.by_host}.items():
            for route in _routes_of(site):
                path = re.sub(r"\{[a-zA-Z]+(?::path)?\}", "x", route.path)
                for method in sorted(route.methods or {"GET"}):
                    yield host, method, path

    async def ask(
        self, host: str, method: str, path: str, headers: Mapping[str, str], *, content: bytes = b"", cookie: str = ""
    ) -> httpx.Response:
        transport = httpx.ASGITransport(app=self._app, client=("203.0.113.7", 40_000))
        sent = {**headers, **({"Cookie": f"{COOKIE}={cookie}"} if cookie else {})}
        async with httpx.AsyncClient(transport=transport, base_url=f"https://{host}") as client:
            return await client.request(method, path, headers=sent, content=content)


def _routes_of(site: object) -> list[Route]:
    assert isinstance(site, Router)
    found = [route for route in site.routes if isinstance(route, Route)]
    assert len(found) == len(site.routes), "what is no Route keeps to nothing here"
    return found


@pytest.fixture
async def pages(adapters: Adapters, tmp_path: Path) -> Web:
    domain: DomainBody = domain_body(None)
    resource = account_resource(LOGIN)
    hashed = hash_password(PASSWORD, cost=HashCost.LOW)
    await apply(
        adapters.store,
        created(Resource(kind=Kind.DOMAIN, name="example.com", fields=fields_of(domain))),
        # No administrator, whose pages start programs.
        created(replace(resource, fields={**resource.fields, "roles": []}), password=hashed),
    )
    found = Web(web(adapters, tmp_path))
    credentials = orjson.dumps({"username": LOGIN, "password": PASSWORD})
    reply = await found.ask(HOSTNAME, "POST", "/sign-in", OWN, content=credentials)
    assert reply.status_code == 200
    found.cookie = reply.cookies[COOKIE]
    return found


async def test_every_answer_says_what_a_browser_may_do_with_it(pages: Web) -> None:
    walked = set()
    for host, method, path in pages.routes():
        for cookie in ("",) if path in ("/sign-out", EVENTS) else ("", pages.cookie):
            reply = await pages.ask(host, method, path, OWN, cookie=cookie)
            what = f"{method} {host}{path}: {reply.status_code} {dict(reply.headers)}"
            assert reply.status_code < 500, what
            policy = reply.headers["content-security-policy"]
            assert "frame-ancestors 'none'" in policy or path.startswith("/mail/shown/"), what
            assert policy.startswith("default-src 'none'"), what
            assert "unsafe" not in policy, what
            assert reply.headers["x-content-type-options"] == "nosniff", what
            assert reply.headers["referrer-policy"] == "no-referrer", what
            assert reply.headers["strict-transport-security"].startswith("max-age="), what
            of_any_origin = FOR_ALL_ORIGINS.fullmatch(path) is not None
            expected = "cross-origin" if of_any_origin else "same-origin"
            assert reply.headers["cross-origin-resource-policy"] == expected, what
            assert ("access-control-allow-origin" in reply.headers) is of_any_origin, what
            assert "access-control-allow-credentials" not in reply.headers, what
            if not FOR_ALL.fullmatch(path) and not KEPT.fullmatch(path):
                assert reply.headers["cache-control"] == "no-store", what
            assert ("set-cookie" in reply.headers) == (path == "/sign-out"), what
        walked.add(path)
    # Of each part one: none was left out of the walk.
    assert {"/mail", "/account", "/admin", "/jmap/api", "/sign-in", "/api/v1/plan", "/lists/unsubscribe"} <= walked
    assert len(walked) > 60


async def test_who_is_not_signed_in_gets_nothing(pages: Web) -> None:
    for host, method, path in pages.routes():
        if FOR_ALL.fullmatch(path) or method == "OPTIONS" or path in ("/sign-in", "/sign-out", WEB_SOCKET):
            continue
        for cookie in ("", "A" * 43):
            reply = await pages.ask(host, method, path, OWN, cookie=cookie)
            assert reply.status_code == 401, f"{method} {path}"
            if method != "HEAD" and ASKS_TO_SIGN_IN.fullmatch(path) and "text/html" in reply.headers["content-type"]:
                assert 'id="sign-in"' in reply.text, path


@pytest.mark.parametrize("headers", ELSEWHERE, ids=str)
async def test_a_cookie_that_another_site_makes_a_browser_send_counts_for_nothing(
    pages: Web, headers: dict[str, str]
) -> None:
    for host, method, path in pages.routes():
        if FOR_ALL.fullmatch(path) or method == "OPTIONS":
            continue
        reply = await pages.ask(host, method, path, headers, cookie=pages.cookie)
        if path == WEB_SOCKET and "Origin" not in headers:
            assert reply.status_code == 426  # a browser has one of its own, and says which origin asks
            continue
        expected = 401 if BY_TOKEN.fullmatch(path) else 403
        assert reply.status_code == expected, f"{method} {path}"


@pytest.mark.parametrize("media_type", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data"])
async def test_no_form_of_elsewhere_changes_anything(pages: Web, media_type: str) -> None:
    for (host, method, path), headers in product(pages.routes(), FORMS_OF_ELSEWHERE):
        if method not in CHANGING or FOR_ALL.fullmatch(path):
            continue
        sent = {**headers, "Content-Type": media_type, "X-HTTP-Method-Override": "GET"}
        reply = await pages.ask(host, method, path, sent, content=b"id=others", cookie=pages.cookie)
        expected = 401 if BY_TOKEN.fullmatch(path) else 403
        assert reply.status_code == expected, f"{method} {path}"
    assert (await pages.ask(HOSTNAME, "GET", "/account", OWN, cookie=pages.cookie)).status_code == 200


async def test_what_changes_something_is_asked_by_no_method_that_only_shows(pages: Web) -> None:
    """Nor by one that a header names. JMAP's GET is its session, that of the sign-in who is signed in."""
    by_path: dict[str, set[str]] = {}
    for _, method, path in pages.routes():
        by_path.setdefault(path, set()).add(method)
    both = {path for path, methods in by_path.items() if methods & CHANGING and "GET" in methods}
    assert both <= {"/jmap/api", "/lists/unsubscribe", "/sign-in"} | {
        path for path in by_path if path.startswith("/api/")
    }
    for host, method, path in pages.routes():
        if method in CHANGING and "GET" not in by_path[path] and not path.startswith("/admin/"):
            headers = {**OWN, "X-HTTP-Method-Override": method, "X-Method-Override": method}
            reply = await pages.ask(host, "GET", f"{path}?_method={method}", headers, cookie=pages.cookie)
            assert reply.status_code in (404, 405), path


PLACES = ("..", "%2e%2e", "..%2f..", "..%5c..", "%00", "x%00.css", "style.css/..", "%2fetc%2fpasswd", "x" * 7_000)


async def test_no_file_but_those_of_the_pages_is_sent(pages: Web) -> None:
    for part in ("mail", "account", "admin"):
        for of, place in product(("x", "..", "%2e%2e", "%00"), (*PLACES, "../../../../etc/passwd")):
            request = f"GET /{part}/assets/{of}/{place} HTTP/1.1\r\nHost: {HOSTNAME}\r\nConnection: close\r\n\r\n"
            reply = await answered(lambda: pages.service, [request.encode()])
            assert reply.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 404 ")), (of, place, reply[:60])


async def test_no_address_leads_elsewhere(pages: Web) -> None:
    """Nothing in a request chooses where a browser is sent next."""
    games = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http", "Forwarded": "host=evil.example"}
    names = ("next", "to", "url", "redirect", "return", "continue", "goto", "dest")
    places = ("https://evil.example/", "//evil.example", "/\\evil.example", "/%5cevil.example", "javascript:x()")
    query = "&".join(f"{name}={place}" for name, place in product(names, places))
    headers = {**OWN, **games, "Sec-Fetch-Mode": "navigate"}
    for host, method, path in pages.routes():
        if method != "GET" or path.startswith("/jmap/"):
            continue
        reply = await pages.ask(host, method, f"{path}?{query}", headers, cookie=pages.cookie)
        assert re.fullmatch(r"/(?!/)[a-z/-]*", reply.headers.get("location", "/")), path
        assert "evil.example" not in str(reply.headers), path
        assert "refresh" not in reply.headers, path
