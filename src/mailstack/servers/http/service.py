"""What HTTP requests are answered with: the pages and facts of one generation."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from starlette.types import ASGIApp

from mailstack.model.instant import Clock
from mailstack.servers.http.limits import HttpLimits


class HttpRole(Enum):
    """PLAIN: what must be answered without TLS, and the way to the rest. SECURE: the rest."""

    PLAIN = "http"
    SECURE = "https"


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpService:
    """plain, secure: what answers on either listener, usually a Router. token: random bytes."""

    limits: HttpLimits
    plain: ASGIApp
    secure: ASGIApp
    clock: Clock
    token: Callable[[int], bytes]

    def pages(self, role: HttpRole) -> ASGIApp:
        return self.plain if role is HttpRole.PLAIN else self.secure
