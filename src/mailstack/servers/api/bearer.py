"""Who calls: one bearer token in the Authorization field, or words that say what is wrong with it.

Not in the query and not in the content (RFC 6750 §2.2, §2.3), where logs and histories would keep it. RFC 9110 §11.
"""

import re
from dataclasses import dataclass, replace

import structlog
from starlette.requests import Request

from mailstack.model.errors import AuthenticationFailed, Invalid
from mailstack.model.ids import TokenId
from mailstack.model.instant import Clock
from mailstack.model.token import Scope, token_id_of
from mailstack.ports.tokens import Tokens
from mailstack.servers.api.failures import Failures
from mailstack.servers.http.problem import Problem, Refused
from mailstack.services.identity.tokens import Bearer, bearer_of

log = structlog.get_logger()

REALM = 'Bearer realm="mailstack"'
# RFC 6750 §2.1: credentials = "Bearer" 1*SP b64token
CREDENTIALS = re.compile(r"Bearer +([A-Za-z0-9._~+/-]+=*) *", re.IGNORECASE)
UNAUTHORIZED = Problem(status=401, title="A token is needed")
FORBIDDEN = Problem(status=403, title="The token may not do this")
TOO_MANY_FAILURES = Problem(status=429, title="Too many tokens that are none")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearers:
    tokens: Tokens
    failures: Failures
    clock: Clock

    async def of(self, request: Request, *scopes: Scope) -> Bearer:
        """Who calls, and holds one of the scopes. Raises Refused: 401, 403 or 429."""
        host = request.client.host if request.client else ""
        wait_s = self.failures.wait_s(host)
        if wait_s:
            raise Refused(replace(TOO_MANY_FAILURES, headers={"Retry-After": str(wait_s)}))
        text = _credentials(request)
        try:
            bearer = await bearer_of(self.tokens, text, now=self.clock())
        except AuthenticationFailed as fault:
            self.failures.note(host)
            log.warning("api call refused", peer=host, caller=_claimed(text), reason=fault.detail)
            raise Refused(_invalid_token(fault.detail)) from None
        if not any(scope in bearer.scopes for scope in scopes):
            log.warning("api call refused", peer=host, caller=bearer.token.token_id, lacks=scopes[0].value)
            raise Refused(_insufficient_scope(scopes[0]))
        return bearer


def _credentials(request: Request) -> str:
    given = request.headers.getlist("authorization")
    if not given:
        # RFC 6750 §3.1: who shows nothing is told no error code.
        raise Refused(replace(UNAUTHORIZED, detail="send it as Authorization: Bearer …", headers=_challenge()))
    found = CREDENTIALS.fullmatch(given[0])
    if len(given) > 1 or found is None:
        told = "one Authorization field, with the word Bearer and the token"
        raise Refused(
            Problem(status=400, title="The token cannot be read", detail=told, headers=_challenge("invalid_request"))
        )
    return found[1]


def _invalid_token(detail: str) -> Problem:
    """detail: the service's own words, which hold nothing of what was shown."""
    return replace(UNAUTHORIZED, detail=detail, headers=_challenge("invalid_token", detail))


def _insufficient_scope(scope: Scope) -> Problem:
    # RFC 6750 §3.1: the scope that would do is named.
    headers = {"WWW-Authenticate": f'{REALM}, error="insufficient_scope", scope="{scope}"'}
    return replace(FORBIDDEN, detail=f"it lacks the scope {scope}", headers=headers)


def _challenge(error: str = "", description: str = "") -> dict[str, str]:
    # RFC 6750 §3: error-description holds neither quotes nor backslashes; our sentences have none.
    parts = [REALM, *([f'error="{error}"'] if error else ())]
    parts += [f'error_description="{description}"'] if description else ()
    return {"WWW-Authenticate": ", ".join(parts)}


def _claimed(text: str) -> TokenId | None:
    """For the log: the id says whose leak it may be, and is no secret."""
    try:
        return token_id_of(text)
    except Invalid:
        return None
