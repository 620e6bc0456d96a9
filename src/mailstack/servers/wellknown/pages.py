"""Settings for mail programs: autoconfig, Autodiscover, PACC, Apple's profiles; and `security.txt` (RFC 9116).

They are of a domain: an address that nobody has gets the same answer as one that somebody has, and nobody logs in.
"""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mailstack.formats import mobileconfig, pacc
from mailstack.formats.autoconfig import write_autoconfig
from mailstack.formats.autodiscover import (
    INVALID_REQUEST,
    MOST_REQUEST_OCTETS,
    NO_SUCH_ADDRESS,
    NO_SUCH_PROVIDER,
    read_autodiscover,
    write_autodiscover,
    write_autodiscover_error,
)
from mailstack.model.address import Address, parse_address
from mailstack.model.client_settings import SETTINGS_HOSTS, ClientSettings
from mailstack.model.errors import Invalid, Unsupported
from mailstack.model.instant import DAY_MS, Instant, iso
from mailstack.servers.http.asked import base_url
from mailstack.servers.http.floor import HOST
from mailstack.servers.http.problem import BAD_REQUEST, NO_SUCH_PAGE, Refused
from mailstack.servers.wellknown.service import WellKnownService

AUTOCONFIG_PATHS = ("/mail/config-v1.1.xml", "/.well-known/autoconfig/mail/config-v1.1.xml")
# As Outlook of different years spells it.
AUTODISCOVER_PATHS = ("/autodiscover/autodiscover.xml", "/Autodiscover/Autodiscover.xml")
AUTODISCOVER_JSON_PATHS = tuple(
    f"/{name}/{name}.json{rest}" for name in ("autodiscover", "Autodiscover") for rest in ("", "/v1.0/{address}")
)
PROFILE_PATH = "/profile.mobileconfig"
SECURITY_PATH = "/.well-known/security.txt"
XML = "text/xml"
# RFC 9116 §2.5.5: less than a year ahead.
SECURITY_HOLDS_MS = 90 * DAY_MS
# Of a domain alone, and the same for all: fewer questions by programs that look once a day.
_A_WHILE = {"Cache-Control": "public, max-age=3600"}


@dataclass(frozen=True, slots=True, kw_only=True)
class WellKnownPages:
    service: WellKnownService

    def settings_routes(self) -> tuple[Route, ...]:
        return (
            *(Route(path, self.autoconfig, max_body_size=0) for path in AUTOCONFIG_PATHS),
            *(
                Route(path, self.autodiscover, methods=["POST"], max_body_size=MOST_REQUEST_OCTETS)
                for path in AUTODISCOVER_PATHS
            ),
            *(Route(path, self.autodiscover_json, max_body_size=0) for path in AUTODISCOVER_JSON_PATHS),
            Route(pacc.PATH, self.pacc, max_body_size=0),
            Route(PROFILE_PATH, self.profile, max_body_size=0),
        )

    def routes(self) -> tuple[Route, ...]:
        return (*self.settings_routes(), Route(SECURITY_PATH, self.security, max_body_size=0))

    async def autoconfig(self, request: Request) -> Response:
        given = request.query_params.get("emailaddress", "")
        name = _address(given).domain if given else _domain_of_host(request)
        return Response(write_autoconfig(self._settings(name)), headers=_A_WHILE, media_type=XML)

    async def autodiscover(self, request: Request) -> Response:
        """MS-OXDSCLI §2.2.4.1.1: a fault is an answer like another."""
        try:
            address = read_autodiscover(await request.body())
        except Unsupported:
            return _fault(NO_SUCH_PROVIDER, "Provider is not available")
        except Invalid:
            return _fault(INVALID_REQUEST, "Invalid Request")
        settings = self.service.settings_of(address.domain)
        if settings is None:
            return _fault(NO_SUCH_ADDRESS, "The domain is not one of this server")
        return Response(write_autodiscover(settings, address), media_type=XML)

    async def autodiscover_json(self, request: Request) -> Response:
        """Version 2 only says where version 1 is."""
        given = request.path_params.get("address") or _query(request, "Email")
        protocol = _query(request, "Protocol")
        if protocol.lower() != "autodiscoverv1":
            fault = {"ErrorCode": "InvalidProtocol", "ErrorMessage": "The protocol that is there: AutodiscoverV1"}
            return JSONResponse(fault, status_code=400)
        self._settings(_address(given).domain)
        return JSONResponse({"Protocol": "AutodiscoverV1", "Url": base_url(request) + AUTODISCOVER_PATHS[0]})

    async def pacc(self, request: Request) -> Response:
        host = request.scope["state"][HOST]
        label, _, name = host.partition(".")
        if label != pacc.HOST:
            raise Refused(NO_SUCH_PAGE)
        return Response(pacc.write_pacc(self._settings(name)), headers=_A_WHILE, media_type="application/json")

    async def profile(self, request: Request) -> Response:
        address = _address(request.query_params.get("emailaddress", ""))
        content = mobileconfig.write_mobileconfig(self._settings(address.domain), address)
        if content is None:
            raise Refused(NO_SUCH_PAGE)
        if self.service.sign is not None:
            content = self.service.sign(content)
        name = f'attachment; filename="{address.domain}.mobileconfig"'
        return Response(content, headers={"Content-Disposition": name}, media_type=mobileconfig.MEDIA_TYPE)

    async def security(self, _: Request) -> Response:
        # RFC 9116 §2.5.3, §2.5.5: both are required, and Expires once.
        until = iso(Instant(self.service.clock() + SECURITY_HOLDS_MS))
        text = f"Contact: mailto:{self.service.contact}\r\nExpires: {until}\r\n"
        return Response(text, headers=_A_WHILE, media_type="text/plain")

    def _settings(self, name: str) -> ClientSettings:
        found = self.service.settings_of(name)
        if found is None:
            raise Refused(NO_SUCH_PAGE)
        return found


def _domain_of_host(request: Request) -> str:
    host: str = request.scope["state"][HOST]
    label, _, name = host.partition(".")
    return name if label in SETTINGS_HOSTS else host


def _address(given: str) -> Address:
    try:
        return parse_address(given)
    except Invalid:
        raise Refused(BAD_REQUEST) from None


def _query(request: Request, name: str) -> str:
    """Whatever its letters: programs write it in two ways."""
    return next((value for key, value in request.query_params.items() if key.lower() == name.lower()), "")


def _fault(code: int, message: str) -> Response:
    return Response(write_autodiscover_error(code, message), media_type=XML)
