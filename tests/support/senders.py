"""What a test lets be known of a mail's sender, and how strict the server is about it."""

from collections.abc import Sequence
from ipaddress import ip_network

from mailstack.model.verdict import (
    ArcResult,
    ArcVerdict,
    Authentication,
    DmarcVerdict,
    IprevResult,
    IprevVerdict,
    SpfIdentity,
    SpfResult,
    SpfVerdict,
)
from mailstack.ports.resolver import Resolver
from mailstack.services.inbound.stages.receiving import SenderPolicy
from tests.support.memory_resolver import MemoryResolver


def sender_policy(
    resolver: Resolver | None = None,
    *,
    enforces_dmarc: bool = True,
    refuses_spf_fail: bool = False,
    defers_without_dns: bool = False,
    dns_deadline_s: float = 30,
    trusted_peers: Sequence[str] = (),
) -> SenderPolicy:
    return SenderPolicy(
        resolver=resolver or MemoryResolver(),
        dns_deadline_s=dns_deadline_s,
        enforces_dmarc=enforces_dmarc,
        refuses_spf_fail=refuses_spf_fail,
        defers_without_dns=defers_without_dns,
        trusted_sealers=frozenset({"lists.example"}),
        trusted_peers=tuple(map(ip_network, trusted_peers)),
    )


def known(dmarc: DmarcVerdict, *, spf: SpfResult = SpfResult.NONE, sealed: str = "") -> Authentication:
    """sealed: the results that a trusted sealer saw."""
    return Authentication(
        iprev=IprevVerdict(result=IprevResult.FAIL),
        helo=SpfVerdict(result=SpfResult.NONE, identity=SpfIdentity.HELO, domain="client.example"),
        mail_from=SpfVerdict(result=spf, identity=SpfIdentity.MAILFROM, domain="y.example", mechanism="-all"),
        dkim=(),
        arc=ArcVerdict(result=ArcResult.PASS if sealed else ArcResult.NONE, trusted_results=sealed),
        dmarc=dmarc,
    )
