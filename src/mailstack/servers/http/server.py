"""What makes an HTTP connection of each accepted socket, on `http`, `https` and `metrics`. RFC 9110, RFC 9112."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace

from uvicorn.config import Config
from uvicorn.server import ServerState

from mailstack.net.admission import Admission
from mailstack.net.connections import Connections
from mailstack.net.proxied import ProtocolFactory
from mailstack.ports.metrics import UNCOUNTED, Metrics
from mailstack.servers.http.connection import HttpConnection, Shared
from mailstack.servers.http.floor import Floor
from mailstack.servers.http.line import Lines
from mailstack.servers.http.service import HttpRole, HttpService
from mailstack.servers.standing import by_app_password, send_away

NAME = "http"


class HttpServer:
    """service: asked once for each request; what it began with, it keeps. streams: where those who are logged in and
    stay are counted, in place of admission. metrics: for all generations."""

    def __init__(
        self,
        service: Callable[[], HttpService],
        connections: Connections,
        admission: Admission,
        streams: Admission,
        metrics: Metrics = UNCOUNTED,
    ) -> None:
        # Our own lines say more, and say it once.
        logging.getLogger("uvicorn.error").disabled = True
        logging.getLogger("uvicorn.access").disabled = True
        self._service = service
        self._shared = Shared(
            # Nothing of it is run: no server, no signals, no log of its own, no trust in anybody's proxy headers.
            config=Config(
                app=_nothing,
                http=HttpConnection,
                interface="asgi3",
                lifespan="off",
                ws="none",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                date_header=False,
            ),
            state=ServerState(),
            connections=connections,
            admission=admission,
            lines=Lines(connections=connections, admission=streams, metrics=metrics, open=set()),
        )
        # Apart, so that whoever watches the server gets in however many others come from the same address.
        self._for_watchers = replace(self._shared, admission=Admission("metrics"))

    def protocol(self, role: HttpRole) -> ProtocolFactory:
        """For net.listen."""
        floor = Floor(self._service, role)
        shared = self._for_watchers if role is HttpRole.METRICS else self._shared

        def accept(came_from: str = "") -> asyncio.Protocol:
            return HttpConnection(floor, self._service().limits, shared=shared, came_from=came_from)

        return accept

    async def recheck_logins(self) -> None:
        """For a new generation: whose stream goes on and who may no longer be logged in is sent away."""
        await send_away(self._shared.lines.open, service=NAME)

    async def recheck_app_passwords(self) -> None:
        """Once one has ended: whose stream goes on by it is sent away."""
        await send_away(by_app_password(self._shared.lines.open), service=NAME)


async def _nothing(_scope: object, _receive: object, _send: object) -> None:
    """Each request is given its own application."""
