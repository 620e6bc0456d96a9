"""What the API's pages stand on, and the one list of them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import mailstack
from mailstack.model.errors import Forbidden, Invalid, TryAgainLater
from mailstack.model.ids import TokenId
from mailstack.model.instant import Clock
from mailstack.model.resource import CertificateBody, Kind, body_of
from mailstack.model.token import RANDOM_OCTETS, Scope
from mailstack.ports.issuance import Issuance
from mailstack.ports.queue import Queue
from mailstack.ports.state import State
from mailstack.ports.tokens import Tokens
from mailstack.servers.api.bearer import FORBIDDEN, Bearers
from mailstack.servers.api.documents import (
    TOP_DOMAINS,
    CertificateDocument,
    certificate_document,
    read_order,
    state_document,
    token_document,
)
from mailstack.servers.api.failures import Failures
from mailstack.servers.calls import Call, CallKind, Calls
from mailstack.servers.http.problem import TOO_BUSY, Problem, Refused
from mailstack.servers.http.streamed import Streamed
from mailstack.services.identity.tokens import issue, revoke, visible_to

log = structlog.get_logger()

BUNDLE_BYTES = 32 * 1024 * 1024
"""A spec of 100,000 accounts has some 15 MB."""
TOKEN_BYTES = 64 * 1024
OPENAPI = Path(__file__).with_name("openapi.json")
VERSION_FIELD = "Mailstack-Version"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiService:
    """calls: carries out plans and applies. running: what the server says of its processes, None where it says
    nothing. token: random bytes."""

    tokens: Tokens
    state: State
    queue: Queue
    issuance: Issuance
    calls: Calls
    running: Callable[[], dict[str, Any] | None]
    failures: Failures
    clock: Clock
    token: Callable[[int], bytes]

    def routes(self) -> tuple[Route, ...]:
        return (
            Route("/api/v1/openapi.json", self.openapi, max_body_size=0),
            Route("/api/v1/state", self.get_state, max_body_size=0),
            Route("/api/v1/drift", self.drift, max_body_size=0),
            Route("/api/v1/plan", self.plan, methods=["POST"], max_body_size=BUNDLE_BYTES),
            Route("/api/v1/apply", self.apply, methods=["POST"], max_body_size=BUNDLE_BYTES),
            Route("/api/v1/tokens", self.list_tokens, max_body_size=0),
            Route("/api/v1/tokens", self.create_token, methods=["POST"], max_body_size=TOKEN_BYTES),
            Route("/api/v1/tokens/{token_id}", self.revoke_token, methods=["DELETE"], max_body_size=0),
        )

    @property
    def bearers(self) -> Bearers:
        return Bearers(tokens=self.tokens, failures=self.failures, clock=self.clock)

    async def openapi(self, _request: Request) -> Response:
        return Response(OPENAPI.read_bytes(), media_type="application/json")

    async def get_state(self, request: Request) -> JSONResponse:
        await self.bearers.of(request, Scope.STATE)
        summary, queue = await self.state.summary(), await self.queue.figures(now=self.clock(), domains=TOP_DOMAINS)
        return JSONResponse(state_document(summary, await self._certificates(), queue, self.running()))

    async def _certificates(self) -> list[CertificateDocument]:
        held = await self.state.snapshot((Kind.CERTIFICATE,))
        failures, now = await self.issuance.failures(), self.clock()
        return [
            certificate_document(resource.name, body_of(CertificateBody, resource), failures.get(resource.name), now)
            for resource in held.resources.values()
        ]

    async def drift(self, request: Request) -> Response:
        return await self._call(request, CallKind.DRIFT, Scope.STATE)

    async def plan(self, request: Request) -> Response:
        # Who may apply may see what that would do.
        return await self._call(request, CallKind.PLAN, Scope.PLAN, Scope.APPLY)

    async def apply(self, request: Request) -> Response:
        return await self._call(request, CallKind.APPLY, Scope.APPLY)

    async def _call(self, request: Request, kind: CallKind, *scopes: Scope) -> Response:
        bearer = await self.bearers.of(request, *scopes)
        call = Call(kind=kind, caller=bearer.token.token_id, may_apply=Scope.APPLY in bearer.scopes)
        log.info("api call", call=kind.value, caller=call.caller, name=bearer.token.name)
        try:
            answer = await self.calls.carry_out(call, await request.body())
        except TryAgainLater as fault:
            raise Refused(replace(TOO_BUSY, detail=fault.detail)) from None
        headers = {VERSION_FIELD: mailstack.__version__}
        return Streamed(
            answer.chunks, answer.close, status=answer.status, media_type=answer.media_type, headers=headers
        )

    async def list_tokens(self, request: Request) -> JSONResponse:
        bearer = await self.bearers.of(request, Scope.TOKENS)
        return JSONResponse([token_document(token) for token in await visible_to(self.tokens, bearer)])

    async def create_token(self, request: Request) -> JSONResponse:
        bearer = await self.bearers.of(request, Scope.TOKENS)
        try:
            order = read_order(await request.body(), self.clock())
            made, text = await issue(
                self.tokens, order, maker=bearer, now=self.clock(), random=self.token(RANDOM_OCTETS)
            )
        except Forbidden as fault:
            raise Refused(Problem(status=FORBIDDEN.status, title=FORBIDDEN.title, detail=fault.detail)) from None
        except Invalid as fault:
            raise Refused(Problem(status=422, title="No such token can be made", detail=fault.detail)) from None
        log.info("api call", call="create token", caller=bearer.token.token_id, made=made.token_id)
        return JSONResponse({**token_document(made), "secret": text}, status_code=201)

    async def revoke_token(self, request: Request) -> JSONResponse:
        bearer = await self.bearers.of(request, Scope.TOKENS)
        token_id = TokenId(request.path_params["token_id"])
        gone = await revoke(self.tokens, token_id, by=bearer, now=self.clock())
        log.info("api call", call="revoke token", caller=bearer.token.token_id, revoked=list(gone))
        return JSONResponse({"revoked": list(gone)})
