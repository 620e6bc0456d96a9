"""Who asks: a name and a password in the Authorization field of each request. RFC 7617, RFC 8620 §8.2."""

import base64
import binascii
from dataclasses import replace

from starlette.requests import Request

from mailstack.model.conduct import Offence
from mailstack.model.errors import AuthenticationFailed, Forbidden
from mailstack.model.principal import Ability, Account
from mailstack.servers.http.problem import Problem, Refused
from mailstack.servers.jmap.service import JmapService
from mailstack.servers.standing import has_standing
from mailstack.services.identity.login import LoginOrigin

NAME = "jmap"
# RFC 7617 §2.1: names and passwords are UTF-8.
CHALLENGE = {"WWW-Authenticate": 'Basic realm="mailstack", charset="UTF-8"'}
UNAUTHORIZED = Problem(status=401, title="A name and a password are needed", headers=CHALLENGE)
# One answer to every failure: whether the account exists, and what it may do, is nobody's business.
WRONG = replace(UNAUTHORIZED, title="Authentication failed")
BANNED = Problem(status=429, title="Too many failures from your address, come again later")
NOT_PRIVATE = Problem(status=403, title="Passwords are taken over TLS only", detail="ask by https")


async def account_of(service: JmapService, request: Request) -> Account:
    """Raises Refused: 401, 403, 429; TryAgainLater for who fails too often at the same time."""
    host = request.client.host if request.client else ""
    if request.scope["scheme"] != "https" and not service.plaintext_is_secure(host):
        raise Refused(NOT_PRIVATE)
    if service.conduct.ban_of(host) is not None:
        raise Refused(BANNED)
    username, password = _credentials(request)
    origin = LoginOrigin(service=NAME, peer_host=host, is_repeated=True)
    try:
        account = await service.login.authenticate(username, password, ability=Ability.READ, origin=origin)
    except (AuthenticationFailed, Forbidden):
        service.conduct.note(host, Offence.FAILED_LOGIN)
        raise Refused(WRONG) from None
    if not await has_standing(service.accounts, account):
        raise Refused(WRONG)
    return account


def _credentials(request: Request) -> tuple[str, str]:
    given = request.headers.getlist("authorization")
    # RFC 9110 §11.4: credentials = auth-scheme [ 1*SP ( token68 / … ) ]
    scheme, _, token = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    if scheme.lower() != "basic":
        raise Refused(replace(UNAUTHORIZED, detail="send one Authorization field, with the word Basic"))
    try:
        text = base64.b64decode(token.strip(" "), validate=True).decode()
    except (binascii.Error, ValueError):
        raise Refused(replace(UNAUTHORIZED, detail="the Authorization field is not base64 of UTF-8")) from None
    # RFC 7617 §2: user-id ":" password; only the password may hold a colon.
    username, colon, password = text.partition(":")
    if not colon:
        raise Refused(replace(UNAUTHORIZED, detail="the Authorization field holds no name and password"))
    return username, password
