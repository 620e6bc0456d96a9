"""One account: what it may do and who says so, what it holds, what is signed in to it, and a change of it proposed.

What the spec says is changed in the spec: here it is shown with its place, and as the diff that would change it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from starlette.responses import Response

from mailstack.model.errors import NotFound, TryAgainLater
from mailstack.model.ids import AppPasswordId
from mailstack.model.principal import Account
from mailstack.model.resource import AccountBody, ForwardBody, Kind, Resource, body_of
from mailstack.servers.admin.failing import failed
from mailstack.servers.admin.templating import page, size
from mailstack.servers.admin.visit import Failed, Visit
from mailstack.servers.calls import CallKind
from mailstack.servers.http.problem import NO_SUCH_PAGE, Refused

LIST = "/admin/accounts"
LOGIN = "login"
NOTHING = "–"
KEYS = (
    ("name", "Name"),
    ("quota", "Quota, such as 20GiB; empty for no limit"),
    ("addresses", "Further addresses, apart by spaces"),
    ("roles", "Roles, such as admin"),
    ("can", "May: receive, read, submit"),
)
"""Of the spec, that a change can be proposed of, and what a person is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRow:
    """key: as the spec has it."""

    field: str
    key: str
    value: str


async def show(visit: Visit) -> Response:
    account, resource = await _account(visit)
    store, now = visit.service.store, visit.service.clock()
    return visit.page(
        "account.html",
        LIST,
        account=account,
        argument=_argument(account),
        rows=_rows(resource),
        by_user=resource.by_user,
        sessions=await store.web_sessions.of_account(account.account_id, now=now),
        app_passwords=[
            each for each in await store.app_passwords.of_account(account.account_id) if not each.has_ended(now)
        ],
        keys=KEYS,
        proposal=None,
    )


async def show_fields(visit: Visit) -> Response:
    """With the place in the spec, which takes a process of its own to find."""
    account, resource = await _account(visit)
    try:
        owners = (await visit.told(CallKind.OWNERS, {"login": account.login}))["fields"]
    except (Failed, TryAgainLater) as fault:
        return failed(fault)
    return page("account_fields.html", {"rows": _rows(resource), "owners": owners})


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


async def propose(visit: Visit) -> Response:
    account, _ = await _account(visit)
    form = await visit.form()
    request = {"login": account.login, **{name: form.get(name, [""])[0] for name in ("key", "value")}}
    try:
        found = await visit.told(CallKind.PROPOSAL, request)
    except (Failed, TryAgainLater) as fault:
        return failed(fault)
    return page("proposal.html", {"found": found, "lines": [_diff_line(line) for line in found["diff"]]})


async def _account(visit: Visit) -> tuple[Account, Resource]:
    """Of the query. Raises Refused."""
    login = visit.request.query_params.get(LOGIN, "")
    store = visit.service.store
    found = await store.accounts.find(login)
    if not isinstance(found, Account) or found.login != login:
        raise Refused(NO_SUCH_PAGE)
    resource = (await visit.service.directory.snapshot()).resources.get((Kind.ACCOUNT, login))
    if resource is None:
        raise Refused(NO_SUCH_PAGE)
    return found, resource


async def _wanted(visit: Visit, name: str) -> str:
    return (await visit.form()).get(name, [""])[0]


def _argument(account: Account) -> str:
    return f"{LOGIN}={quote(account.login, safe='')}"


def _rows(resource: Resource) -> Sequence[FieldRow]:
    body = body_of(AccountBody, resource)
    values: Mapping[tuple[str, str], str] = {
        ("name", "name"): body.name or NOTHING,
        ("password", "password"): "a hash, never shown" if "password" in resource.digests else NOTHING,
        ("roles", "roles"): _listed(body.roles),
        ("quota_bytes", "quota"): "no limit" if body.quota_bytes is None else size(body.quota_bytes),
        ("addresses", "addresses"): _listed(body.addresses),
        ("abilities", "can"): _listed(body.abilities),
        ("forward", "forward"): _forward(body.forward),
    }
    return [FieldRow(field=field, key=key, value=value) for (field, key), value in values.items()]


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words) or NOTHING


def _forward(forward: ForwardBody | None) -> str:
    if forward is None:
        return NOTHING
    return f"to {_listed(forward.targets)}, {'with a copy kept' if forward.keep else 'and no copy here'}"


def _diff_line(line: str) -> tuple[str, str]:
    """A class of the style sheet, and the line."""
    if line.startswith(("---", "+++", "@@")):
        return "place", line
    return {"+": "added", "-": "removed"}.get(line[:1], ""), line
