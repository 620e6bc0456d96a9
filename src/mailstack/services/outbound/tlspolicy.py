"""Which TLS policy a mail has on the way to an exchanger: DANE where DNS vouches for records, else what the domain says
by MTA-STS, else opportunistic.

Relays have what the spec says of them. Carrying it out is clients.smtp's. RFC 7672 §2, RFC 8461 §2, §5, RFC 7435.
"""

from mailstack.mailauth import mtasts
from mailstack.model.delivery import Deferred, NextHop, SmtpReply
from mailstack.model.tls_policy import OPPORTUNISTIC, Dane, Required, Sts, TlsFailure, TlsPolicy, TlsUsed
from mailstack.ports.resolver import Answer, MailExchanger, SecureResolver
from mailstack.services.outbound.sts import StsLookup
from mailstack.services.outbound.tlsa import dane_policy


async def policy_for(
    resolver: SecureResolver, sts: StsLookup, domain: str, hop: NextHop, exchangers: Answer[MailExchanger] | None
) -> TlsPolicy | Deferred:
    """domain: as of destination.ToDomain. exchangers: as of mx.Hosts. Deferred, or raises TryAgainLater: it cannot be
    known, and hop is not to be used."""
    if exchangers is None:
        return OPPORTUNISTIC  # an address has no records
    dane = await dane_policy(resolver, hop.host, port=hop.port, domain=domain, exchangers=exchangers)
    # RFC 8461 §2: what DANE finds amiss, MTA-STS does not mend.
    if isinstance(dane, Dane | Deferred):
        return dane
    found = await sts.policy(domain)
    # Records that nobody can use demand TLS, under any certificate: more is no contradiction.
    if isinstance(dane, Required) and (found is None or found.is_testing):
        return dane
    return found or OPPORTUNISTIC


def excluded(policy: TlsPolicy, host: str) -> Deferred | None:
    """What comes of a host that the policy does not allow; None where it may be tried."""
    if not isinstance(policy, Sts) or policy.is_testing or mtasts.allows(policy, host):
        return None
    # RFC 8461 §5: for now. The domain may yet say something else, which each attempt looks for.
    reply = SmtpReply(code=451, status="4.7.0", text=f"{host} is not in the MTA-STS policy of {policy.domain}")
    return Deferred(reply=reply, host="", tls=TlsUsed(policy=policy.word, failure=TlsFailure.VALIDATION_FAILURE))
