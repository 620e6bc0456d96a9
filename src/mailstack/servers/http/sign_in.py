"""Signing in and out, for all pages: `POST /sign-in` with a name and a password as JSON, `POST /sign-out`;
`GET /sign-in` says who it is.

Under the same bans and delays as every other login.
"""

from dataclasses import dataclass

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mailstack.model.conduct import Offence
from mailstack.model.errors import AuthenticationFailed, Forbidden
from mailstack.servers.http.asked import peer_host
from mailstack.servers.http.problem import BAD_REQUEST, Problem, Refused
from mailstack.servers.http.signed_in import SignedIn, give_cookie, require_own_page, take_cookie
from mailstack.services.conduct import Conduct
from mailstack.services.identity.web_logins import WebLogin

SIGN_IN_PATH = "/sign-in"
SIGN_OUT_PATH = "/sign-out"
MAX_BODY_BYTES = 4 * 1024
# One answer to every failure: whether the account exists, and what it may do, is nobody's business.
WRONG = Problem(status=401, title="Wrong name or password")
BANNED = Problem(status=429, title="Too many failures from your address, come again later")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInPages:
    signed_in: SignedIn
    conduct: Conduct

    def routes(self) -> tuple[Route, ...]:
        return (
            Route(SIGN_IN_PATH, self.sign_in, methods=["POST"], max_body_size=MAX_BODY_BYTES),
            Route(SIGN_IN_PATH, self.who, methods=["GET"], max_body_size=0),
            Route(SIGN_OUT_PATH, self.sign_out, methods=["POST"], max_body_size=MAX_BODY_BYTES),
        )

    async def sign_in(self, request: Request) -> Response:
        """Whoever was signed in before is not any more: a cookie from before a login is never one after it."""
        require_own_page(request)
        host = peer_host(request)
        if self.conduct.ban_of(host) is not None:
            raise Refused(BANNED)
        username, password = await _credentials(request)
        before = await self.signed_in.find(request)
        try:
            web_login, cookie = await self.signed_in.web_logins.open(
                username, password, peer_host=host, agent=request.headers.get("user-agent", "")
            )
        except (AuthenticationFailed, Forbidden):
            self.conduct.note(host, Offence.FAILED_LOGIN)
            raise Refused(WRONG) from None
        if before is not None:
            await self.signed_in.web_logins.close(before)
        response = JSONResponse(_who(web_login))
        give_cookie(response, cookie)
        return response

    async def who(self, request: Request) -> Response:
        return JSONResponse(_who(await self.signed_in.require(request)))

    async def sign_out(self, request: Request) -> Response:
        found = await self.signed_in.find(request)
        if found is not None:
            await self.signed_in.web_logins.close(found)
        # Clear Site Data (W3C): whichever page it was, what webmail has kept in this browser goes too.
        response = Response(status_code=204, headers={"Clear-Site-Data": '"storage"'})
        take_cookie(response)
        return response


async def _credentials(request: Request) -> tuple[str, str]:
    try:
        given = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        raise Refused(BAD_REQUEST) from None
    match given:
        case {"username": str(username), "password": str(password)}:
            return username, password
        case _:
            raise Refused(BAD_REQUEST)


def _who(web_login: WebLogin) -> dict[str, object]:
    account = web_login.account
    return {"login": account.login, "name": account.name, "roles": sorted(account.roles)}
