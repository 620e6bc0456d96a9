"""An administrator's request, and what is asked and answered in their name."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

import orjson
import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mailstack.model.ids import TokenId
from mailstack.servers.admin.notices import NO_COUNTS, Counts, notice_of, with_notice
from mailstack.servers.admin.service import AdminService
from mailstack.servers.admin.templating import page
from mailstack.servers.calls import Answer, Call, CallKind
from mailstack.servers.http.asked import peer_host
from mailstack.servers.http.problem import BAD_REQUEST, Refused
from mailstack.services.identity.web_logins import WebLogin

log = structlog.get_logger()

PAGES = (
    ("/admin", "Overview"),
    ("/admin/plan", "Plan and drift"),
    ("/admin/accounts", "Accounts"),
    ("/admin/domains", "Domains"),
    ("/admin/aliases", "Aliases and lists"),
    ("/admin/messages", "Messages"),
    ("/admin/queue", "Queue"),
    ("/admin/bans", "Bans"),
    ("/admin/spam", "Spam"),
    ("/admin/dns", "DNS"),
    ("/admin/keys", "Certificates and keys"),
)
"""As the navigation lists them."""
MAX_FIELDS = 1_000


class Failed(Exception):
    """A call that could not be carried out. problem: as RFC 9457 has it."""

    def __init__(self, problem: Mapping[str, Any]) -> None:
        super().__init__(problem.get("title"))
        self.problem = problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    service: AdminService
    request: Request
    admin: WebLogin

    @property
    def frame(self) -> Mapping[str, object]:
        """What every whole page has around it."""
        return {"pages": PAGES, "login": self.admin.account.login, "notice": notice_of(self.request)}

    def page(self, template: str, current: str, *, status: int = 200, **values: object) -> Response:
        """current: the path of PAGES that it belongs to."""
        return page(template, {**self.frame, "current": current, **values}, status=status)

    def back_to(self, path: str, told: str, counts: Counts = NO_COUNTS) -> Response:
        """told: what the page there says of what was done, as notices has it."""
        return RedirectResponse(with_notice(path, told, counts), status_code=303)

    async def form(self) -> Mapping[str, Sequence[str]]:
        """Without fields that are empty. Raises Refused."""
        try:
            return parse_qs((await self.request.body()).decode(), max_num_fields=MAX_FIELDS)
        except ValueError:
            raise Refused(BAD_REQUEST) from None

    def note(self, act: str, **what: object) -> None:
        """Whoever reads the log must be able to tell who did what."""
        log.info("admin", act=act, by=self.admin.account.login, peer=peer_host(self.request), **what)

    async def call(self, kind: CallKind, request: Mapping[str, object]) -> Answer:
        """Raises TryAgainLater."""
        caller = TokenId(f"{self.admin.account.account_id}-{self.admin.session.session_id}")
        call = Call(kind=kind, caller=caller, may_apply=True)
        return await self.service.calls.carry_out(call, orjson.dumps(request))

    async def told(self, kind: CallKind, request: Mapping[str, object]) -> dict[str, Any]:
        """The one document that it is answered with. Raises TryAgainLater, Failed."""
        answer = await self.call(kind, request)
        try:
            found = await document(answer)
        finally:
            await answer.close()
        if answer.status != 200:
            raise Failed(found)
        return found


Show = Callable[[Visit], Awaitable[Response]]


async def document(answer: Answer) -> dict[str, Any]:
    return dict(orjson.loads(b"".join([chunk async for chunk in answer.chunks])))


async def lines_of(answer: Answer) -> AsyncIterator[dict[str, Any]]:
    """As they come."""
    rest = b""
    async for chunk in answer.chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield orjson.loads(line)
