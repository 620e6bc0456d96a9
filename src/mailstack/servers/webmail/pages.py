"""`/mail`: the page, its files, mail as documents for its frames, and the pictures of elsewhere that these name.

All else it asks of JMAP, with the cookie of who is signed in.
"""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from mailstack.servers.http.assets import send, send_file
from mailstack.servers.webmail.assets import WORKER, load_assets, load_page
from mailstack.servers.webmail.picture import picture
from mailstack.servers.webmail.picture_links import PICTURE_PATH
from mailstack.servers.webmail.service import WebmailService
from mailstack.servers.webmail.shown import always_shown, shown_email

PAGE_PATH = "/mail"
ASSETS_PATH = "/mail/assets/{version}/{path:path}"
WORKER_PATH = "/mail/worker.js"
SHOWN_PATH = "/mail/shown/{accountId}/{emailId}"
ALWAYS_PATH = f"{SHOWN_PATH}/always"
# No script or style that is not a file of ours, no frame of elsewhere, and nobody frames this page.
PAGE_SECURITY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "worker-src 'self'",
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

# It asks for what the page would ask for, and nothing else.
WORKER_SECURITY = "default-src 'none'; connect-src 'self'; frame-ancestors 'none'"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebmailPages:
    service: WebmailService

    def routes(self) -> tuple[Route, ...]:
        return (
            Route("/", self.home, methods=["GET"], max_body_size=0),
            Route(PAGE_PATH, self.page, methods=["GET"], max_body_size=0),
            Route(WORKER_PATH, self.worker, methods=["GET"], max_body_size=0),
            Route(ASSETS_PATH, self.asset, methods=["GET"], max_body_size=0),
            Route(SHOWN_PATH, self.shown, methods=["GET"], max_body_size=0),
            Route(ALWAYS_PATH, self.always, methods=["PUT", "DELETE"], max_body_size=0),
            Route(PICTURE_PATH, self.picture, methods=["GET"], max_body_size=0),
        )

    async def home(self, _: Request) -> Response:
        return RedirectResponse(PAGE_PATH, status_code=302)

    async def page(self, request: Request) -> Response:
        response = send(request, load_page())
        response.headers["Content-Security-Policy"] = PAGE_SECURITY
        # Asked for each time, and 200 letters where nothing has changed.
        response.headers["Cache-Control"] = "no-cache"
        return response

    async def worker(self, request: Request) -> Response:
        """Under an address that stays, so that browsers find the next one there."""
        response = send(request, load_assets().files[WORKER])
        response.headers["Content-Security-Policy"] = WORKER_SECURITY
        response.headers["Cache-Control"] = "no-cache"
        # Service Workers (W3C), Service-Worker-Allowed: the page lies above the folder of the script.
        response.headers["Service-Worker-Allowed"] = PAGE_PATH
        return response

    async def asset(self, request: Request) -> Response:
        return send_file(request, load_assets())

    async def shown(self, request: Request) -> Response:
        return await shown_email(self.service, request)

    async def always(self, request: Request) -> Response:
        return await always_shown(self.service, request)

    async def picture(self, request: Request) -> Response:
        return await picture(self.service, request)
