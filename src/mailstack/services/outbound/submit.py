"""Mail from our own account holders: may they, is it whole, sign it, deliver or queue it. RFC 6409.

Who is logged in, sizes and counts are the server's business.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mailstack.mailauth.dkim.keys import SigningKey
from mailstack.model.delivery import NULL_PATH
from mailstack.model.instant import Clock
from mailstack.model.principal import Account
from mailstack.ports.accounts import Accounts
from mailstack.ports.queue import Queue
from mailstack.services.outbound.route import RouteTable
from mailstack.services.outbound.sender import require_own


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """How the mail came in, for its Received field and the log.

    protocol: RFC 3848's word (ESMTPSA …). smtp_utf8: the client asked for RFC 6531.
    """

    ehlo_domain: str
    peer_host: str
    protocol: str
    trace_id: str
    smtp_utf8: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """signing_keys: by domain (A-labels), all active ones. token: random bytes, for message ids."""

    hostname: str
    accounts: Accounts
    queue: Queue
    routes: RouteTable
    signing_keys: Mapping[str, Sequence[SigningKey]]
    clock: Clock
    token: Callable[[int], bytes]

    async def check_sender(self, account: Account, reverse_path: str) -> None:
        """Raises Forbidden unless the path is null or one of the account's own addresses."""
        # RFC 8098 §3: a reader's receipt must be sent with the null path; its From field is checked all the same.
        if reverse_path != NULL_PATH:
            await require_own(self.accounts, account, reverse_path)
