"""The addresses that JMAP has: its session object, its API, its events and its blobs.

RFC 8620 §2, §3, §6, §7.3, RFC 8887.
"""

import asyncio
import re
from dataclasses import dataclass

from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from mailstack.servers.http.asked import base_url
from mailstack.servers.http.problem import Refused
from mailstack.servers.jmap.announced import announced_octets
from mailstack.servers.jmap.answer import LARGE_OCTETS, json_answer
from mailstack.servers.jmap.answering import answer_to, problem_told
from mailstack.servers.jmap.cors import Page, for_all_origins
from mailstack.servers.jmap.download import download
from mailstack.servers.jmap.events import events
from mailstack.servers.jmap.login import account_of
from mailstack.servers.jmap.method import Call
from mailstack.servers.jmap.service import JmapService
from mailstack.servers.jmap.session import CAPABILITIES, session_facts
from mailstack.servers.jmap.upload import upload
from mailstack.servers.jmap.web_socket import agreed_to, web_socket
from mailstack.wire.jmap.request import ProblemType, Request, RequestProblem, parse_request, passed_limit
from mailstack.wire.jmap.session import API_PATH, DOWNLOAD_PATH, EVENTS_PATH, SESSION_PATH, UPLOAD_PATH, WEB_SOCKET_PATH

# RFC 8620 §2.2
WELL_KNOWN_PATH = "/.well-known/jmap"
JSON = re.compile(r"application/json[ \t]*(?:;.*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class JmapPages:
    service: JmapService

    def routes(self) -> tuple[Route, ...]:
        return (
            _route(WELL_KNOWN_PATH, self.session, "GET"),
            _route(SESSION_PATH, self.session, "GET"),
            _route(API_PATH, self.api, "POST", "GET"),
            _route(EVENTS_PATH, self.events, "GET"),
            _route(WEB_SOCKET_PATH, self.web_socket, "GET"),
            _route(UPLOAD_PATH, self.upload, "POST"),
            # A name may hold whatever there is, slashes too.
            _route(DOWNLOAD_PATH.replace("{name}", "{name:path}"), self.download, "GET"),
        )

    async def session(self, request: HttpRequest) -> Response:
        login = await account_of(self.service, request)
        facts = await session_facts(self.service, login)
        return await json_answer(request, facts.as_json(base_url(request)))

    async def api(self, request: HttpRequest) -> Response:
        """Programs that know this address alone ask here for the session as well."""
        if request.method == "GET":
            return await self.session(request)
        login = await account_of(self.service, request)
        try:
            with self.service.turns.turn(login.account_id, limit=self.service.limits.concurrent_requests):
                return await json_answer(request, await answer_to(await self._request(request), self.service, login))
        except RequestProblem as fault:
            raise Refused(problem_told(fault)) from None

    async def events(self, request: HttpRequest) -> Response:
        login = await account_of(self.service, request)
        try:
            return await events(self.service, login, request)
        except RequestProblem as fault:
            raise Refused(problem_told(fault)) from None

    async def web_socket(self, request: HttpRequest) -> Response:
        machine, headers = agreed_to(request, self.service, origin=base_url(request))
        return await web_socket(self.service, await account_of(self.service, request), machine, headers, request)

    async def upload(self, request: HttpRequest) -> Response:
        try:
            response = await json_answer(request, await upload(await self._call(request), request))
        except RequestProblem as fault:
            raise Refused(problem_told(fault)) from None
        response.status_code = 201
        return response

    async def download(self, request: HttpRequest) -> Response:
        return await download(await self._call(request), request)

    async def _call(self, request: HttpRequest) -> Call:
        login = await account_of(self.service, request)
        return Call(service=self.service, login=login, using=frozenset(), created={})

    async def _request(self, request: HttpRequest) -> Request:
        # RFC 8620 §3.1: the client says what it sends.
        if JSON.fullmatch(request.headers.get("content-type", "")) is None:
            raise RequestProblem(ProblemType.NOT_JSON, "send it with the Content-Type application/json")
        limits, content = self.service.limits, bytearray()
        if announced_octets(request) > limits.request_octets:
            raise passed_limit("maxSizeRequest", limits.request_octets)
        async for piece in request.stream():
            content += piece
            if len(content) > limits.request_octets:
                raise passed_limit("maxSizeRequest", limits.request_octets)
        if len(content) > LARGE_OCTETS:
            return await asyncio.to_thread(parse_request, bytes(content), limits, CAPABILITIES)
        return parse_request(bytes(content), limits, CAPABILITIES)


def _route(path: str, page: Page, *methods: str) -> Route:
    return Route(path, for_all_origins(page), methods=[*methods, "OPTIONS"])
