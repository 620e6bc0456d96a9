"""`/.well-known/acme-challenge/TOKEN`: what a certificate authority asks for to see that a name is ours. RFC 8555 §8.3.

Under any host name: which names are to be proved is known to who ordered, and a token is known to nobody else.
"""

import re
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mailstack.model.challenge import ChallengeKind
from mailstack.model.instant import Clock
from mailstack.ports.challenges import Challenges
from mailstack.servers.http.problem import NO_SUCH_PAGE, Refused

# RFC 8555 §8.3: base64url without padding, 128 bits at least.
TOKEN = re.compile(r"[A-Za-z0-9_-]{1,256}")


@dataclass(frozen=True, slots=True, kw_only=True)
class AcmeProofs:
    challenges: Challenges
    clock: Clock

    def routes(self) -> tuple[Route, ...]:
        return (Route("/.well-known/acme-challenge/{token}", self.show, max_body_size=0),)

    async def show(self, request: Request) -> Response:
        token = request.path_params["token"]
        found = None
        if TOKEN.fullmatch(token):
            found = await self.challenges.find(ChallengeKind.HTTP_01, token, now=self.clock())
        if found is None:
            raise Refused(NO_SUCH_PAGE)
        # RFC 8555 §8.3: the body is the key authorization, and nothing else.
        return Response(found.value.encode("ascii"), media_type="application/octet-stream")
