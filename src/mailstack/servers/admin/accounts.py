"""Accounts, as they are applied; what is looked for is a part of an address or of a name."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.responses import Response

from mailstack.model.resource import AccountBody, Kind, body_of
from mailstack.servers.admin.templating import page
from mailstack.servers.admin.visit import Visit

PATH = "/admin/accounts"
MOST_SHOWN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    login: str
    body: AccountBody
    is_by_user: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """count: of all that fit, of which some may not be shown."""

    rows: Sequence[Row]
    count: int


async def show(visit: Visit) -> Response:
    text = visit.request.query_params.get("q", "")
    return visit.page("accounts.html", PATH, found=await _look(visit, text), text=text)


async def show_found(visit: Visit) -> Response:
    return page("accounts_found.html", {"found": await _look(visit, visit.request.query_params.get("q", ""))})


async def _look(visit: Visit, text: str) -> Found:
    logins = (await visit.service.directory.people()).of(text)
    shown = await visit.service.store.state.resources(Kind.ACCOUNT, logins[:MOST_SHOWN])
    rows = [
        Row(login=login, body=body_of(AccountBody, shown[login]), is_by_user=bool(shown[login].by_user))
        for login in logins[:MOST_SHOWN]
        if login in shown
    ]
    return Found(rows=rows, count=len(logins))
