"""TLS towards other mail servers: verified where the spec asks for it, any certificate where the other way is none.

RFC 3207, RFC 7435 (opportunistic security), RFC 7672 (DANE), RFC 8314 §4.1, RFC 8461 (MTA-STS).
"""

import ssl
from dataclasses import dataclass, replace
from typing import assert_never

from mailstack.mailauth import mtasts
from mailstack.model.delivery import NextHop, TlsMode
from mailstack.model.tls_policy import Dane, LeastTls, Opportunistic, Required, Sts, TlsFailure, TlsUsed


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsContexts:
    """verified: chain and name are checked. any_certificate: for opportunistic STARTTLS, and DANE, which has checks of
    its own."""

    verified: ssl.SSLContext
    any_certificate: ssl.SSLContext


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What STARTTLS with one server must come to, by every rule there is. is_verified, where it need not be: that is
    tried first, and told where it fails. name: that it is asked for. policy: its word. rule: whose demand it is, ""
    where there is none. dane: what its certificate must be, beyond least. failure: what is amiss beforehand."""

    least: LeastTls
    is_verified: bool
    name: str
    policy: str
    rule: str = ""
    dane: Dane | None = None
    failure: TlsFailure | None = None

    @property
    def is_required(self) -> bool:
        return self.least is not LeastTls.OPPORTUNISTIC

    def unmet(self, fault: str) -> str:
        """For whoever reads why their mail waits, or has come back."""
        return f"{fault}, but {self.rule}" if self.rule else fault


def demand_on(hop: NextHop) -> Demand:
    """The strictest of what others ask for and of what we do."""
    if hop.tls is not TlsMode.OPPORTUNISTIC:
        return _relay_demand(hop)
    demand = _policy_demand(hop)
    if hop.least is LeastTls.OPPORTUNISTIC or demand.dane or demand.least in (hop.least, LeastTls.VERIFIED):
        return demand
    is_verified = demand.is_verified or hop.least is LeastTls.VERIFIED
    return replace(demand, least=hop.least, is_verified=is_verified, rule=_OURS[hop.least])


def used_beforehand(hop: NextHop) -> TlsUsed:
    """Before anybody was spoken to."""
    demand = demand_on(hop)
    return TlsUsed(policy=demand.policy, least=hop.least, failure=demand.failure)


def _relay_demand(hop: NextHop) -> Demand:
    if hop.tls is TlsMode.NONE:
        return Demand(least=LeastTls.OPPORTUNISTIC, is_verified=False, name=hop.host, policy=hop.tls.value)
    policy, rule = Required(is_verified=True).word, _OURS[LeastTls.VERIFIED]
    return Demand(least=LeastTls.VERIFIED, is_verified=True, name=hop.host, policy=policy, rule=rule)


def _policy_demand(hop: NextHop) -> Demand:
    policy = hop.policy.word
    match hop.policy:
        case Opportunistic():
            return Demand(least=LeastTls.OPPORTUNISTIC, is_verified=False, name=hop.host, policy=policy)
        case Required(is_verified=True):
            rule = "REQUIRETLS requires verified TLS"
            return Demand(least=LeastTls.VERIFIED, is_verified=True, name=hop.host, policy=policy, rule=rule)
        case Required():
            rule = "DANE requires TLS"
            return Demand(least=LeastTls.REQUIRED, is_verified=False, name=hop.host, policy=policy, rule=rule)
        case Sts(domain=domain, is_testing=is_testing):
            # RFC 8461 §5: under a policy that is tested, mail goes out as without one, and what is amiss is told.
            is_listed = mtasts.allows(hop.policy, hop.host)
            return Demand(
                least=LeastTls.OPPORTUNISTIC if is_testing else LeastTls.VERIFIED,
                is_verified=is_listed or not is_testing,
                name=hop.host,
                policy=policy,
                rule="" if is_testing else f"the MTA-STS policy of {domain} requires verified TLS",
                failure=None if is_listed else TlsFailure.VALIDATION_FAILURE,
            )
        case Dane(names=names):
            rule = "DANE requires verified TLS"
            return Demand(
                least=LeastTls.REQUIRED,
                is_verified=False,
                name=names[0],
                policy=policy,
                rule=rule,
                dane=hop.policy,
            )
        case _:
            assert_never(hop.policy)


_OURS = {
    LeastTls.REQUIRED: "this server requires TLS",
    LeastTls.VERIFIED: "this server requires verified TLS",
}


def verified_context(*, ca_file: str | None = None) -> ssl.SSLContext:
    """ca_file: as of client_contexts."""
    verified = ssl.create_default_context()
    if ca_file is not None:
        verified.load_verify_locations(cafile=ca_file)
    verified.minimum_version = ssl.TLSVersion.TLSv1_2  # RFC 8996 §4, §5
    # RFC 8461 §3.3, §4.1: the name is looked for among the certificate's DNS names, and nowhere else.
    verified.hostname_checks_common_name = False
    return verified


def client_contexts(*, ca_file: str | None = None) -> TlsContexts:
    """ca_file: trusted beside the system's own; what sandboxes and tests have."""
    verified = verified_context(ca_file=ca_file)
    # RFC 7435 §3: unauthenticated encryption is better than none, and opportunistic mail would go in plain otherwise.
    any_certificate = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    any_certificate.check_hostname = False
    any_certificate.verify_mode = ssl.CERT_NONE
    any_certificate.minimum_version = ssl.TLSVersion.TLSv1_2
    return TlsContexts(verified=verified, any_certificate=any_certificate)
