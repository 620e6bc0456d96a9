"""`/healthz` says that the process runs, `/readyz` that it can work: for probes and load balancers.

Strangers learn yes or no and nothing else; who asks from this machine sees which generation serves.
"""

import asyncio
import ipaddress
from dataclasses import dataclass

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from mailstack.model.errors import DomainError
from mailstack.model.ids import Generation
from mailstack.ports.state import State

log = structlog.get_logger()

# Each by the two names that orchestrators and balancers know.
LIVE_PATHS = ("/healthz", "/healthz/live")
READY_PATHS = ("/readyz", "/healthz/ready")
PATIENCE_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """generation: the one that serves; the state may have moved past it."""

    state: State
    generation: Generation

    def routes(self) -> tuple[Route, ...]:
        return (
            *(Route(path, self.healthz, max_body_size=0) for path in LIVE_PATHS),
            *(Route(path, self.readyz, max_body_size=0) for path in READY_PATHS),
        )

    async def healthz(self, _request: Request) -> JSONResponse:
        return JSONResponse({"status": "ok"})

    async def readyz(self, request: Request) -> JSONResponse:
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self.state.generation()
        except (DomainError, OSError, TimeoutError) as fault:
            log.warning("not ready", fault=repr(fault))
            return JSONResponse({"status": "unavailable"}, status_code=503)
        if request.client is not None and _is_this_machine(request.client.host):
            return JSONResponse({"status": "ready", "generation": int(self.generation)})
        return JSONResponse({"status": "ready"})


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
