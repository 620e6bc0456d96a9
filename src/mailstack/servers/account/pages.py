"""`/account`: password, app passwords, where one is signed in, and how much mail there is.

Written here and shown as it is; what changes anything is a form that this very page sends (servers.http.signed_in).
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from mailstack.model.app_password import RANDOM_OCTETS, AppService
from mailstack.model.conduct import Offence
from mailstack.model.errors import AuthenticationFailed, Forbidden, Invalid, NotFound, TooMany
from mailstack.model.ids import AccountId, AppPasswordId
from mailstack.model.principal import Ability
from mailstack.servers.account.export import exported
from mailstack.servers.account.forms import MAX_BODY_BYTES, Form, form_of
from mailstack.servers.account.phones import PHONES_PATH, PROFILE_PATH, give_profile, new_phone
from mailstack.servers.account.service import AccountService
from mailstack.servers.account.templating import load_assets, page
from mailstack.servers.account.visit import Visit, account_page, sentence
from mailstack.servers.http.asked import peer_host
from mailstack.servers.http.assets import send_file
from mailstack.servers.http.problem import BAD_REQUEST, Problem, Refused
from mailstack.servers.http.sign_in import BANNED
from mailstack.servers.http.signed_in import take_cookie
from mailstack.servers.http.streamed import Streamed
from mailstack.services.identity.app_passwords import Order, issue
from mailstack.services.identity.login import LoginOrigin
from mailstack.services.identity.own_password import change_password
from mailstack.services.identity.web_logins import SERVICE

PATH = "/account"
EXPORT_PATH = "/account/export"
ASSETS_PATH = "/account/assets/{version}/{path:path}"
EXPORTS_OF_ACCOUNT = 2
MOST_EXPORTS = 6
"""At a time, of a process: each reads a whole account and packs it."""
EXPORTING = Problem(status=429, title="Your mail is being exported already", headers={"Retry-After": "60"})
TOO_MANY_EXPORTS = Problem(status=503, title="Too many export their mail just now", headers={"Retry-After": "60"})
OTHERS = "others"
"""In place of the id of a session: all but this one."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPages:
    """exporting: how often the mail of each account is on its way."""

    service: AccountService
    exporting: Counter[AccountId] = field(default_factory=Counter)

    def routes(self) -> tuple[Route, ...]:
        return (
            Route(PATH, self.show, methods=["GET"], max_body_size=0),
            Route(ASSETS_PATH, self.asset, methods=["GET"], max_body_size=0),
            Route(EXPORT_PATH, self.export, methods=["GET"], max_body_size=0),
            Route(PROFILE_PATH, self.profile, methods=["GET"], max_body_size=0),
            self._form("/account/password", new_password),
            self._form("/account/app-passwords", new_app_password),
            self._form(PHONES_PATH, new_phone),
            self._form("/account/app-passwords/end", end_app_password),
            self._form("/account/sessions/end", end_sessions),
        )

    async def asset(self, request: Request) -> Response:
        return send_file(request, load_assets())

    async def show(self, request: Request) -> Response:
        who = await self.service.signed_in.find(request)
        if who is None:
            return page("sign_in.html", {}, status=401)
        return await account_page(Visit(service=self.service, request=request, who=who))

    async def profile(self, request: Request) -> Response:
        return await give_profile(self.service, request)

    async def export(self, request: Request) -> Response:
        account = (await self.service.signed_in.require(request)).account
        self._begin_export(account.account_id)
        log.info("mail exported", service=SERVICE, peer=peer_host(request), account=account.login)
        headers = {"Content-Disposition": 'attachment; filename="mail.zip"'}
        pieces = exported(self.service.mail_of(account), self.service.clock())
        end = partial(self._end_export, account.account_id)
        return Streamed(pieces, end, headers=headers, media_type="application/zip")

    def _begin_export(self, account_id: AccountId) -> None:
        """Raises Refused."""
        if self.exporting[account_id] >= EXPORTS_OF_ACCOUNT:
            raise Refused(EXPORTING)
        if self.exporting.total() >= MOST_EXPORTS:
            raise Refused(TOO_MANY_EXPORTS)
        self.exporting[account_id] += 1

    async def _end_export(self, account_id: AccountId) -> None:
        self.exporting[account_id] -= 1
        if not self.exporting[account_id]:
            del self.exporting[account_id]

    def _form(self, path: str, act: Callable[[Visit, Form], Awaitable[Response]]) -> Route:
        async def answer(request: Request) -> Response:
            who = await self.service.signed_in.require(request)
            return await act(Visit(service=self.service, request=request, who=who), await form_of(request))

        return Route(path, answer, methods=["POST"], max_body_size=MAX_BODY_BYTES)


async def new_password(visit: Visit, form: Form) -> Response:
    """Under the bans and delays of every login: a page that was left open does not let passwords be tried."""
    current, new, again = form.one("current"), form.one("new"), form.one("again")
    service, account, host = visit.service, visit.who.account, peer_host(visit.request)
    if service.conduct.ban_of(host) is not None:
        raise Refused(BANNED)
    if new != again:
        return await account_page(visit, fault="The new password was not typed the same twice.", status=422)
    origin = LoginOrigin(service=SERVICE, peer_host=host)
    login = service.signed_in.web_logins.login
    try:
        await login.authenticate(account.login, current, ability=Ability.READ, origin=origin)
    except (AuthenticationFailed, Forbidden):
        service.conduct.note(host, Offence.FAILED_LOGIN)
        return await account_page(visit, fault="That is not your password as it is now.", status=403)
    try:
        await change_password(service.state, account, new)
    except (Invalid, Forbidden) as refused:
        return await account_page(visit, fault=sentence(refused), status=422)
    log.info("password changed", service=SERVICE, peer=host, account=account.login)
    response = page("changed.html", {})
    take_cookie(response)
    return response


async def new_app_password(visit: Visit, form: Form) -> Response:
    service, account = visit.service, visit.who.account
    try:
        services = frozenset(map(AppService, form.all("service")))
    except ValueError:
        raise Refused(BAD_REQUEST) from None
    order = Order(name=form.one("name").strip(), services=services, expires_at=None)
    random = service.token(RANDOM_OCTETS)
    try:
        made, text = await issue(service.app_passwords, account.account_id, order, now=service.clock(), random=random)
    except (Invalid, TooMany) as refused:
        return await account_page(visit, fault=sentence(refused), status=422)
    log.info("app password made", service=SERVICE, account=account.login, id=made.app_password_id)
    return await account_page(visit, made=text)


async def end_app_password(visit: Visit, form: Form) -> Response:
    account = visit.who.account
    try:
        ended = await visit.service.app_passwords.revoke(account.account_id, AppPasswordId(form.one("id")))
    except NotFound:
        return _back()  # sent twice, or ended elsewhere: it is gone, as was wanted
    log.info("app password ended", service=SERVICE, account=account.login, id=ended.app_password_id)
    return _back()


async def end_sessions(visit: Visit, form: Form) -> Response:
    wanted, own = form.one("id"), visit.who.session.session_id
    sessions, account_id = visit.service.signed_in.web_logins.sessions, visit.who.account.account_id
    if wanted == OTHERS:
        await sessions.end(account_id, but=own)
    else:
        await sessions.end(account_id, [wanted])
    response = _back()
    if wanted == own:
        take_cookie(response)
    return response


def _back() -> Response:
    # RFC 9110 §15.4.4: the page is asked for anew, and loading it again sends no form.
    return RedirectResponse(PATH, status_code=303)
