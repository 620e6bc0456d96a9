"""`/admin`: the one list of its pages, and who is let in to them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mailstack.servers.admin import overview
from mailstack.servers.admin.entrance import TurnedAway, Why, admitted
from mailstack.servers.admin.service import AdminService
from mailstack.servers.admin.templating import load_assets, page
from mailstack.servers.http.assets import send_file
from mailstack.services.identity.web_logins import WebLogin

HOME = "/admin"
PAGES = ((HOME, "Overview"),)
"""As the navigation lists them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """An administrator's request."""

    service: AdminService
    request: Request
    admin: WebLogin

    def page(self, template: str, current: str, **values: object) -> Response:
        frame = {"pages": PAGES, "current": current, "login": self.admin.account.login}
        return page(template, {**frame, **values})


Show = Callable[[Visit], Awaitable[Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminPages:
    service: AdminService

    def routes(self) -> tuple[Route, ...]:
        return (
            Route("/admin/assets/{version}/{path:path}", self.asset, methods=["GET"], max_body_size=0),
            self._get(HOME, show_overview),
            self._get("/admin/figures", show_figures),
        )

    async def asset(self, request: Request) -> Response:
        return send_file(request, load_assets())

    def _get(self, path: str, show: Show) -> Route:
        return Route(path, self._for_admins(show), methods=["GET"], max_body_size=0)

    def _for_admins(self, show: Show) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            try:
                admin = await admitted(self.service, request)
            except TurnedAway as fault:
                return turned_away(fault.why)
            return await show(Visit(service=self.service, request=request, admin=admin))

        return answer


def turned_away(why: Why) -> Response:
    response = page("sign_in.html", {"why": why.value}, status=401)
    response.headers["HX-Refresh"] = "true"  # a part of a page that is too late: the whole page asks to sign in
    return response


async def show_overview(visit: Visit) -> Response:
    return visit.page("overview.html", HOME, found=await overview.look(visit.service))


async def show_figures(visit: Visit) -> Response:
    return page("figures.html", {"found": await overview.look(visit.service)})
