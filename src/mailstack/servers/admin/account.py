"""One account: what it may do, what it holds, and what is signed in to it. What the spec says of it is an entry's."""

from base64 import b32encode
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from starlette.responses import Response

from mailstack.model.errors import Forbidden, NotFound
from mailstack.model.ids import AppPasswordId
from mailstack.model.principal import Account
from mailstack.model.resource import AccountBody, ForwardBody, Kind, Resource, body_of
from mailstack.servers.admin.entries import SECTIONS, argument
from mailstack.servers.admin.templating import page, size
from mailstack.servers.admin.visit import Visit
from mailstack.servers.http.problem import NO_SUCH_PAGE, Refused
from mailstack.services.identity.own_password import change_password, is_of_spec

LIST = "/admin/accounts"
LOGIN = "login"
NOTHING = "–"
PASSWORD_OCTETS = 15
GROUP = 6


async def show(visit: Visit) -> Response:
    account, resource = await _account(visit)
    store, now = visit.service.store, visit.service.clock()
    return visit.page(
        "account.html",
        LIST,
        account=account,
        argument=_argument(account),
        entry=argument(SECTIONS["accounts"], account.login),
        rows=_rows(resource),
        password_since=resource.by_user.get("password"),
        is_locked=await is_of_spec(store.state, account),
        sessions=await store.web_sessions.of_account(account.account_id, now=now),
        app_passwords=[
            each for each in await store.app_passwords.of_account(account.account_id) if not each.has_ended(now)
        ],
    )


async def show_use(visit: Visit) -> Response:
    account, _ = await _account(visit)
    try:
        sizes = await visit.service.store.upkeep.sizes(account.account_id)
    except NotFound:  # nobody has written to it yet
        sizes = None
    return page("account_use.html", {"account": account, "sizes": sizes})


async def end_session(visit: Visit) -> Response:
    account, _ = await _account(visit)
    session_id = await _wanted(visit, "session")
    await visit.service.store.web_sessions.end(account.account_id, [session_id])
    visit.note("end session", account=account.login, session=session_id)
    return visit.back_to(f"/admin/account?{_argument(account)}", "session")


async def revoke_app_password(visit: Visit) -> Response:
    account, _ = await _account(visit)
    app_password_id = AppPasswordId(await _wanted(visit, "app_password"))
    await visit.service.store.app_passwords.revoke(account.account_id, app_password_id)
    visit.note("revoke app password", account=account.login, app_password=app_password_id)
    return visit.back_to(f"/admin/account?{_argument(account)}", "app-password")


async def give_password(visit: Visit) -> Response:
    """One that is made up, shown once, and its user's own from then on."""
    account, _ = await _account(visit)
    password = made_up(visit.service.token(PASSWORD_OCTETS))
    try:
        await change_password(visit.service.store.state, account, password)
    except Forbidden as fault:
        return page("failed.html", {"problem": {"title": "Not changed", "detail": fault.detail, "faults": ()}})
    visit.note("give password", account=account.login)
    return page("account_password.html", {"account": account, "password": password})


def made_up(random: bytes) -> str:
    """In groups that can be read out."""
    text = b32encode(random).decode().lower()
    return "-".join(text[at : at + GROUP] for at in range(0, len(text), GROUP))


async def _account(visit: Visit) -> tuple[Account, Resource]:
    """Of the query. Raises Refused."""
    login = visit.request.query_params.get(LOGIN, "")
    store = visit.service.store
    found = await store.accounts.find(login)
    if not isinstance(found, Account) or found.login != login:
        raise Refused(NO_SUCH_PAGE)
    resource = (await store.state.resources(Kind.ACCOUNT, (login,))).get(login)
    if resource is None:
        raise Refused(NO_SUCH_PAGE)
    return found, resource


async def _wanted(visit: Visit, name: str) -> str:
    return (await visit.form()).get(name, [""])[0]


def _argument(account: Account) -> str:
    return f"{LOGIN}={quote(account.login, safe='')}"


def _rows(resource: Resource) -> Mapping[str, str]:
    """By key of the spec, as it is applied."""
    body = body_of(AccountBody, resource)
    return {
        "name": body.name or NOTHING,
        "addresses": _listed(body.addresses),
        "roles": _listed(body.roles),
        "quota": "no limit" if body.quota_bytes is None else size(body.quota_bytes),
        "can": _listed(body.abilities),
        "forward": _forward(body.forward),
    }


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words) or NOTHING


def _forward(forward: ForwardBody | None) -> str:
    if forward is None:
        return NOTHING
    return f"to {_listed(forward.targets)}, {'with a copy kept' if forward.keep else 'and no copy here'}"
