"""What stands around every request: its id, its headers, its line in the log, and an answer whatever happens.

The only place that catches what nobody expected. RFC 9110 §6.6.1 (Date), RFC 6797 (HSTS), RFC 9457 (problems).
"""

import re
from collections.abc import Callable
from email.utils import formatdate
from http import HTTPStatus

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mailstack.model.errors import DomainError
from mailstack.model.instant import SECOND_MS
from mailstack.model.metrics import HTTP_SECONDS
from mailstack.servers.http.errors import problem_of
from mailstack.servers.http.line import HAS_NO_LENGTH
from mailstack.servers.http.problem import (
    NO_SUCH_PAGE,
    PROBLEM_PAGE,
    SERVER_BUG,
    Problem,
    Refused,
    problem_response,
)
from mailstack.servers.http.service import HttpRole, HttpService
from mailstack.servers.http.target import HTTP_1_0

log = structlog.get_logger()

REQUEST_ID = b"x-request-id"
# What a proxy before us may have given; anything else could forge lines of a log or of a header.
WELL_FORMED_ID = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
ID_BYTES = 9
STATUS_CLASS = 100
# What the connection leaves in the request's state: the host asked for, why the content broke off, why it was refused.
HOST = "host"
FAULT = "fault"
REASON = "reason"
# A page may say otherwise. No page of the floor is to be framed, sniffed, kept or told to others.
HEADERS = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)
# RFC 6797 §7.2: over TLS only.
HSTS = (b"strict-transport-security", b"max-age=31536000")
PROBES = ("/healthz", "/healthz/live", "/readyz", "/healthz/ready", "/metrics")
"""Asked every few seconds for years: their lines are for debugging."""
AREAS = {"": "mail", "healthz": "health", "readyz": "health", "sign-out": "sign-in"}
"""First parts of a path that are not called as their figures are."""


class Floor:
    """An ASGI application. service: asked once for each request, which keeps what it got to its end."""

    def __init__(self, service: Callable[[], HttpService], role: HttpRole) -> None:
        self._service = service
        self._role = role

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        service = self._service()
        await self._answer(service.pages(self._role), service, scope, receive, send)

    def refusing(self, problem: Problem) -> ASGIApp:
        async def refuse(_scope: Scope, _receive: Receive, _send: Send) -> None:
            raise Refused(problem)

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            await self._answer(refuse, self._service(), scope, receive, send)

        return answer

    async def _answer(self, app: ASGIApp, service: HttpService, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = Exchange(service, scope, receive, send)
        structlog.contextvars.bind_contextvars(request=exchange.request_id)
        problem: Problem | None = None
        try:
            await app(scope, exchange.receive, exchange.send)
        except Refused as refused:
            problem = refused.problem
        except HTTPException as refused:
            problem = _problem_of_status(refused)
        except DomainError as fault:
            log.info("refused", error=type(fault).__name__, detail=fault.detail)
            problem = problem_of(fault)
        except ClientDisconnect:
            log.debug("the client went away")
        except Exception:
            log.exception("bug", path=scope["path"])
            problem = SERVER_BUG
        if problem is not None and not exchange.status:
            respond = scope["state"].get(PROBLEM_PAGE, problem_response)
            await respond(problem, exchange.request_id)(scope, exchange.receive, exchange.send)
        exchange.end()


class Exchange:
    """One request and what is said to it. status: 0 until the answer has begun."""

    def __init__(self, service: HttpService, scope: Scope, receive: Receive, send: Send) -> None:
        scope["app"] = self  # Starlette raises its refusals, instead of wording them, where there is one
        self._service = service
        self._scope = scope
        self._receive = receive
        self._send = send
        self._began_at = service.clock()
        self._sent_octets = 0
        self._held: Message | None = None
        self._pieces: list[bytes] = []
        self.status = 0
        self.request_id = _request_id(scope) or service.token(ID_BYTES).hex()
        scope["state"]["request_id"] = self.request_id

    async def receive(self) -> Message:
        """Raises Refused when the content broke off or broke a limit: the connection leaves word of it."""
        message = await self._receive()
        fault = self._scope["state"].get(FAULT)
        if isinstance(fault, Problem):
            raise Refused(fault)
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message = {**message, "headers": self._headers(message.get("headers", ()))}
            if self._needs_length(message):
                self._held = message
                return
        self._sent_octets += len(message.get("body", b""))
        if self._held is None:
            await self._send(message)
        else:
            await self._hold(message)

    def _needs_length(self, start: Message) -> bool:
        # RFC 9112 §6.1: chunks are not for HTTP/1.0; what has no length yet is sent when it is whole.
        is_measured = any(name == b"content-length" for name, _ in start["headers"])
        if self._scope["state"].get(HAS_NO_LENGTH, False):
            return False  # RFC 9112 §6.3: it ends with the connection
        return self._scope["http_version"] == HTTP_1_0 and not is_measured

    async def _hold(self, message: Message) -> None:
        self._pieces.append(message.get("body", b""))
        if message.get("more_body", False) or self._held is None:
            return
        content = b"".join(self._pieces)
        length = (b"content-length", b"%d" % len(content))
        start, self._held = {**self._held, "headers": [*self._held["headers"], length]}, None
        await self._send(start)
        await self._send({"type": "http.response.body", "body": content})

    def end(self) -> None:
        """Tells of it."""
        scope, ms = self._scope, self._service.clock() - self._began_at
        first = scope["path"][1:].partition("/")[0]
        self._service.metrics.observe(
            HTTP_SECONDS, ms / SECOND_MS, AREAS.get(first, first), f"{self.status // STATUS_CLASS}xx"
        )
        write = log.debug if scope["path"] in PROBES else log.info
        reason = scope["state"].get(REASON)
        write(
            "request",
            peer=scope["client"][0] if scope["client"] else "",
            method=scope["method"],
            host=scope["state"].get(HOST, ""),
            path=scope["path"],  # without the query, which may hold what is secret
            status=self.status,
            octets=self._sent_octets,
            ms=ms,
            **({"reason": reason} if reason else {}),
        )

    def _headers(self, given: "list[tuple[bytes, bytes]]") -> list[tuple[bytes, bytes]]:
        names = {name.lower() for name, _ in given}
        # RFC 9110 §6.6.1: an origin server with a clock says the date.
        ours = [(b"date", formatdate(self._service.clock() / SECOND_MS, usegmt=True).encode("ascii"))]
        ours += [header for header in HEADERS if header[0] not in names]
        if self._scope["scheme"] == "https":
            ours.append(HSTS)
        return [*given, *ours, (REQUEST_ID, self.request_id.encode("ascii"))]


def _request_id(scope: Scope) -> str:
    """The client's own, when it gave one that is well-formed; else ""."""
    given = [value for name, value in scope["headers"] if name == REQUEST_ID]
    if len(given) != 1 or WELL_FORMED_ID.fullmatch(given[0]) is None:
        return ""
    return str(given[0], "ascii")


def _problem_of_status(refused: HTTPException) -> Problem:
    """Starlette's own refusals: no such page, no such method."""
    if refused.status_code == NO_SUCH_PAGE.status:
        return NO_SUCH_PAGE
    title = HTTPStatus(refused.status_code).phrase
    return Problem(status=refused.status_code, title=title, headers=refused.headers or {})
