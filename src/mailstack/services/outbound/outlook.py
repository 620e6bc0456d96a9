"""What mail for a domain would meet on its way now: who takes it, under which TLS policy, and why that one.

Asks as an attempt does, and sends nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from mailstack.model.delivery import Deferred, NextHop, SmtpReply, TlsMode
from mailstack.model.errors import TryAgainLater
from mailstack.model.tls_policy import StsMemory, TlsPolicy
from mailstack.ports.resolver import SecureResolver
from mailstack.services.outbound.mx import Hosts, exchangers
from mailstack.services.outbound.service import SMTP_PORT
from mailstack.services.outbound.sts import StsLookup
from mailstack.services.outbound.tlspolicy import excluded, policy_for


@dataclass(frozen=True, slots=True, kw_only=True)
class HostOutlook:
    """preference: None where the domain has no MX records. policy: None where it cannot be known. trouble: why the host
    is passed over, "" where it is not."""

    host: str
    preference: int | None
    policy: TlsPolicy | None
    trouble: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """hosts: in the order in which they are tried. is_secure: DNSSEC vouches for who they are. refusal: where there is
    none to try. record_id: of the MTA-STS record, None without one; record_fault: why that is not known, else ""."""

    domain: str
    hosts: tuple[HostOutlook, ...]
    is_secure: bool
    refusal: SmtpReply | None
    record_id: str | None
    record_fault: str
    sts: StsMemory


async def outlook(resolver: SecureResolver, sts: StsLookup, domain: str, *, own_host: str) -> Outlook:
    """domain: A-labels."""
    found = await exchangers(resolver, domain, own_host=own_host, token=lambda _size: b"")
    record_id, record_fault = None, ""
    try:
        record_id = await sts.record_id(domain)
    except TryAgainLater as fault:
        record_fault = fault.detail
    memory = await sts.learn(domain)  # before the hosts, which go by it
    hosts: Sequence[HostOutlook] = ()
    if isinstance(found, Hosts):
        hosts = [await _host(resolver, sts, domain, name, found) for name in found.names]
    return Outlook(
        domain=domain,
        hosts=tuple(hosts),
        is_secure=isinstance(found, Hosts) and found.found is not None and found.found.is_secure,
        refusal=found if isinstance(found, SmtpReply) else None,
        record_id=record_id,
        record_fault=record_fault,
        sts=memory,
    )


async def _host(resolver: SecureResolver, sts: StsLookup, domain: str, name: str, hosts: Hosts) -> HostOutlook:
    values = hosts.found.values if hosts.found else ()
    preference = next((exchanger.preference for exchanger in values if exchanger.host == name), None)
    hop = NextHop(host=name, port=SMTP_PORT, tls=TlsMode.OPPORTUNISTIC, is_exchanger=True)
    try:
        policy = await policy_for(resolver, sts, domain, hop, hosts.found)
    except TryAgainLater as fault:
        return HostOutlook(host=name, preference=preference, policy=None, trouble=fault.detail)
    if isinstance(policy, Deferred):
        return HostOutlook(host=name, preference=preference, policy=None, trouble=policy.reply.text)
    passed_over = excluded(policy, name)
    trouble = passed_over.reply.text if passed_over else ""
    return HostOutlook(host=name, preference=preference, policy=policy, trouble=trouble)
