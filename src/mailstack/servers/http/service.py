"""What HTTP requests are answered with: the pages and facts of one generation."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from starlette.routing import Router
from starlette.types import ASGIApp

from mailstack.model.instant import Clock
from mailstack.ports.metrics import UNCOUNTED, Metrics
from mailstack.servers.http.limits import HttpLimits


class HttpRole(Enum):
    """PLAIN: what must be answered without TLS, and the way to the rest. SECURE: the rest. METRICS: what is for whoever
    watches the server, without TLS."""

    PLAIN = "http"
    SECURE = "https"
    METRICS = "metrics"


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpService:
    """plain, secure, figures: what answers on each listener, usually a Router. token: random bytes."""

    limits: HttpLimits
    plain: ASGIApp
    secure: ASGIApp
    clock: Clock
    token: Callable[[int], bytes]
    figures: ASGIApp = field(default_factory=Router)
    metrics: Metrics = UNCOUNTED

    def pages(self, role: HttpRole) -> ASGIApp:
        match role:
            case HttpRole.PLAIN:
                return self.plain
            case HttpRole.SECURE:
                return self.secure
            case HttpRole.METRICS:
                return self.figures
