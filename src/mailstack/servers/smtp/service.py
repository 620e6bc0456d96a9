"""What an SMTP connection works with: the use cases and facts of one generation."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from mailstack.model.instant import Clock
from mailstack.net.teller import Teller
from mailstack.servers.sasl import SaslService
from mailstack.servers.smtp.limits import Limits
from mailstack.servers.smtp.tarpit import Tarpit
from mailstack.services.conduct import Conduct
from mailstack.services.inbound.pipeline import InboundPipeline
from mailstack.services.outbound.submit import Submission


class SmtpRole(Enum):
    """MX: anyone's mail for us, no logins. LMTP: mail for us from a server that has checked it already (RFC 2033).
    The others: our accounts' mail for anyone (RFC 6409, RFC 8314)."""

    MX = "mx"
    LMTP = "lmtp"
    SUBMISSION = "submission"
    SUBMISSIONS = "submissions"


def takes_logins(role: SmtpRole) -> bool:
    return role in (SmtpRole.SUBMISSION, SmtpRole.SUBMISSIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpService:
    """tls: for STARTTLS; None: it is not offered. token: random bytes. plaintext_is_secure: may this peer host log in
    without TLS; the sandbox says so of loopback."""

    hostname: str
    limits: Limits
    tls: ssl.SSLContext | None
    sasl: SaslService
    inbound: InboundPipeline
    submission: Submission
    conduct: Conduct
    clock: Clock
    token: Callable[[int], bytes]
    plaintext_is_secure: Callable[[str], bool]
    tarpit: Tarpit = field(default_factory=Tarpit)
    teller: Teller = field(default_factory=Teller)
