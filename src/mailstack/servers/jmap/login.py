"""Who asks: a name and a password, or an app password alone as a token, in the Authorization field of each request; or
the cookie of who is signed in on a page of ours.

RFC 7617, RFC 6750, RFC 8620 §8.2.
"""

import base64
import binascii
import re
from dataclasses import replace

from starlette.requests import Request

from mailstack.model.conduct import Offence
from mailstack.model.delivery import Credentials
from mailstack.model.errors import AuthenticationFailed, Forbidden
from mailstack.model.principal import Ability, Account
from mailstack.servers.http.problem import Problem, Refused
from mailstack.servers.jmap.service import JmapService
from mailstack.servers.standing import has_standing
from mailstack.services.identity.login import Login, LoginOrigin

NAME = "jmap"
# RFC 7617 §2.1: names and passwords are UTF-8. RFC 9110 §11.6.1: one challenge for each scheme, in one field.
CHALLENGE = 'Basic realm="mailstack", charset="UTF-8", Bearer realm="mailstack"'
UNAUTHORIZED = Problem(
    status=401, title="A name and a password, or a token, are needed", headers={"WWW-Authenticate": CHALLENGE}
)
# Of the schemes that browsers know they ask their user, over our page, where a page of ours asks itself.
PAGE_UNAUTHORIZED = replace(UNAUTHORIZED, headers={"WWW-Authenticate": 'Bearer realm="mailstack"'})
# One answer to every failure: whether the account exists, and what it may do, is nobody's business.
WRONG = replace(UNAUTHORIZED, title="Authentication failed")
# RFC 6750 §3.1: expired, revoked or never made, or not for JMAP: all are one.
WRONG_TOKEN = replace(WRONG, headers={"WWW-Authenticate": f'{CHALLENGE}, error="invalid_token"'})
BANNED = Problem(status=429, title="Too many failures from your address, come again later")
NOT_PRIVATE = Problem(status=403, title="Passwords are taken over TLS only", detail="ask by https")
# RFC 6750 §2.1: b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")


async def account_of(service: JmapService, request: Request) -> Account:
    """Raises Refused: 401, 403, 429; TryAgainLater for who fails too often at the same time."""
    host = request.client.host if request.client else ""
    if request.scope["scheme"] != "https" and not service.plaintext_is_secure(host):
        raise Refused(NOT_PRIVATE)
    if service.conduct.ban_of(host) is not None:
        raise Refused(BANNED)
    web_login = None if "authorization" in request.headers else await service.signed_in.find(request)
    if web_login is not None:
        return replace(web_login.account, web_session=web_login.session.digest)
    shown = _shown(request)
    wrong = WRONG_TOKEN if isinstance(shown, str) else WRONG
    origin = LoginOrigin(service=NAME, peer_host=host, is_repeated=True)
    try:
        account = await _admitted(service.login, shown, origin)
    except (AuthenticationFailed, Forbidden):
        service.conduct.note(host, Offence.FAILED_LOGIN)
        raise Refused(wrong) from None
    if not await has_standing(service.accounts, account):
        raise Refused(wrong)
    return account


async def _admitted(login: Login, shown: Credentials | str, origin: LoginOrigin) -> Account:
    if isinstance(shown, str):
        return await login.authenticate_bearer(shown, ability=Ability.READ, origin=origin)
    return await login.authenticate(shown.username, shown.password, ability=Ability.READ, origin=origin)


def _shown(request: Request) -> Credentials | str:
    """A name and a password, or a token. Raises Refused."""
    given = request.headers.getlist("authorization")
    if not given and request.headers.get("sec-fetch-site") == "same-origin":
        raise Refused(PAGE_UNAUTHORIZED)
    # RFC 9110 §11.4: credentials = auth-scheme [ 1*SP ( token68 / … ) ]
    scheme, _, text = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    match scheme.lower():
        case "basic":
            return _credentials(text.strip(" "))
        case "bearer":
            return _token(text.strip(" "))
    raise Refused(replace(UNAUTHORIZED, detail="send one Authorization field, with the word Basic or Bearer"))


def _token(text: str) -> str:
    if _TOKEN.fullmatch(text) is None:
        raise Refused(replace(WRONG_TOKEN, detail="the Authorization field holds no token"))
    return text


def _credentials(text: str) -> Credentials:
    try:
        plain = base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        raise Refused(replace(UNAUTHORIZED, detail="the Authorization field is not base64 of UTF-8")) from None
    # RFC 7617 §2: user-id ":" password; only the password may hold a colon.
    username, colon, password = plain.partition(":")
    if not colon:
        raise Refused(replace(UNAUTHORIZED, detail="the Authorization field holds no name and password"))
    return Credentials(username=username, password=password)
