"""`/admin`: the one list of its pages, and who is let in to them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mailstack.servers.admin import (
    account,
    accounts,
    bans,
    changes,
    dns,
    domains,
    entries,
    keys,
    messages,
    overview,
    planning,
    queue,
    queue_acts,
    spam,
)
from mailstack.servers.admin.entrance import TurnedAway, Why, admitted
from mailstack.servers.admin.failing import part_of_page, whole_page
from mailstack.servers.admin.service import AdminService
from mailstack.servers.admin.templating import load_assets, page
from mailstack.servers.admin.visit import Show, Visit
from mailstack.servers.http.assets import send_file
from mailstack.servers.http.problem import NO_SUCH_PAGE, PROBLEM_PAGE, Refused
from mailstack.servers.http.signed_in import require_own_page

HTMX = "hx-request"
MAX_BODY_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminPages:
    service: AdminService

    def routes(self) -> tuple[Route, ...]:
        return (
            Route("/admin/assets/{version}/{path:path}", self.asset, methods=["GET"], max_body_size=0),
            self._get(overview.PATH, overview.show),
            self._get("/admin/figures", overview.show_figures),
            self._get(planning.PATH, planning.show),
            self._get("/admin/plan/shown", planning.show_plan),
            self._get("/admin/plan/drift", planning.show_drift),
            self._post("/admin/plan/apply", planning.apply),
            self._get(accounts.PATH, accounts.show),
            self._get("/admin/accounts/found", accounts.show_found),
            self._get("/admin/account", account.show),
            self._get("/admin/account/use", account.show_use),
            self._post("/admin/account/session/end", account.end_session),
            self._post("/admin/account/app-password/revoke", account.revoke_app_password),
            self._post("/admin/account/password", account.give_password),
            self._get(domains.PATH, domains.show),
            self._get("/admin/domain", domains.show_one),
            self._get(entries.PATH, entries.show_names),
            self._get("/admin/entry", entries.show),
            self._get("/admin/entry/fields", entries.show_fields),
            self._get("/admin/entry/new", entries.show_new),
            self._post("/admin/spec/proposal", changes.propose),
            self._post("/admin/spec/write", changes.write),
            self._post("/admin/spec/undo", changes.undo),
            self._get("/admin/spec/applied", changes.show_applied),
            self._get("/admin/spec/edits", changes.show_edits),
            self._get(messages.PATH, messages.show),
            self._get("/admin/messages/found", messages.show_found),
            self._get("/admin/messages/figures", messages.show_figures),
            self._get(queue.PATH, queue.show),
            self._get("/admin/queue/item", queue.show_item),
            self._post("/admin/queue/act", queue_acts.act),
            self._get(bans.PATH, bans.show),
            self._post("/admin/bans/add", bans.add),
            self._post("/admin/bans/lift", bans.lift),
            self._get(spam.PATH, spam.show),
            self._get("/admin/spam/learned", spam.show_learned),
            self._get("/admin/spam/tokens", spam.show_tokens),
            self._get(dns.PATH, dns.show),
            self._get("/admin/dns/zones", dns.show_zones),
            self._get("/admin/dns/zone", dns.show_zone),
            self._get("/admin/dns/around", dns.show_around),
            self._get(keys.PATH, keys.show),
            self._get("/admin/{path:path}", _nothing),
        )

    async def asset(self, request: Request) -> Response:
        return send_file(request, load_assets())

    def _get(self, path: str, show: Show) -> Route:
        return Route(path, self._for_admins(show), methods=["GET"], max_body_size=0)

    def _post(self, path: str, act: Show) -> Route:
        return Route(path, self._for_admins(act), methods=["POST"], max_body_size=MAX_BODY_BYTES)

    def _for_admins(self, show: Show) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            request.scope["state"][PROBLEM_PAGE] = part_of_page if HTMX in request.headers else whole_page
            require_own_page(request)
            try:
                admin = await admitted(self.service, request)
            except TurnedAway as fault:
                return turned_away(fault.why)
            return await show(Visit(service=self.service, request=request, admin=admin))

        return answer


async def _nothing(_visit: Visit) -> Response:
    raise Refused(NO_SUCH_PAGE)


def turned_away(why: Why) -> Response:
    response = page("sign_in.html", {"why": why.value}, status=401)
    response.headers["HX-Refresh"] = "true"  # a part of a page that is too late: the whole page asks to sign in
    return response
