"""`/mail`: the page, its files, and mail as documents for its frames.

All else it asks of JMAP, with the cookie of who is signed in.
"""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from mailstack.servers.http.compression import takes_gzip
from mailstack.servers.http.problem import NO_SUCH_PAGE, Refused
from mailstack.servers.webmail.assets import Asset, load_assets
from mailstack.servers.webmail.service import WebmailService
from mailstack.servers.webmail.shown import shown_email

PAGE_PATH = "/mail"
ASSETS_PATH = "/mail/assets/{version}/{path:path}"
SHOWN_PATH = "/mail/shown/{accountId}/{emailId}"
# No script or style that is not a file of ours, no frame of elsewhere, and nobody frames this page.
PAGE_SECURITY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "frame-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    )
)
_FOREVER = "public, immutable, max-age=31536000"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebmailPages:
    service: WebmailService

    def routes(self) -> tuple[Route, ...]:
        return (
            Route("/", self.home, methods=["GET"], max_body_size=0),
            Route(PAGE_PATH, self.page, methods=["GET"], max_body_size=0),
            Route(ASSETS_PATH, self.asset, methods=["GET"], max_body_size=0),
            Route(SHOWN_PATH, self.shown, methods=["GET"], max_body_size=0),
        )

    async def home(self, _: Request) -> Response:
        return RedirectResponse(PAGE_PATH, status_code=302)

    async def page(self, request: Request) -> Response:
        response = _sent(request, load_assets().index)
        response.headers["Content-Security-Policy"] = PAGE_SECURITY
        # Asked for each time, and 200 letters where nothing has changed.
        response.headers["Cache-Control"] = "no-cache"
        return response

    async def asset(self, request: Request) -> Response:
        assets = load_assets()
        found = assets.files.get(request.path_params["path"])
        if found is None or request.path_params["version"] != assets.version:
            raise Refused(NO_SUCH_PAGE)
        response = _sent(request, found)
        response.headers["Cache-Control"] = _FOREVER
        return response

    async def shown(self, request: Request) -> Response:
        return await shown_email(self.service, request)


def _sent(request: Request, asset: Asset) -> Response:
    headers = {"Vary": "Accept-Encoding"}
    if not takes_gzip(request):
        return Response(asset.content, headers=headers, media_type=asset.media_type)
    return Response(asset.compressed, headers={**headers, "Content-Encoding": "gzip"}, media_type=asset.media_type)
