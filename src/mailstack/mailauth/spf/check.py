"""The verdict on a client, for the two names it gives: HELO and MAIL FROM. RFC 7208 §2, §4.3.

What follows from it is policy's. Nothing that a stranger wrote makes these functions raise.
"""

import ipaddress
from dataclasses import replace

from mailstack.mailauth.spf.evaluate import Client, Evaluation, Found
from mailstack.model.address import domain_key
from mailstack.model.errors import Invalid, TryAgainLater
from mailstack.model.instant import SECOND_MS, Instant
from mailstack.model.verdict import SpfIdentity, SpfResult, SpfVerdict
from mailstack.ports.resolver import Resolver

POSTMASTER = "postmaster"
MOST_SENDER_OCTETS = 512  # twice a path, RFC 5321 §4.5.3.1.3; more is nobody's address
MOST_HELO_OCTETS = 255
_TOLD_OF_MECHANISM = 120


async def check(resolver: Resolver, *, peer: str, helo: str, mail_from: str, receiver: str, now: Instant) -> SpfVerdict:
    """Of the MAIL FROM identity. mail_from: without brackets, "" for the null reverse path. receiver: our host name."""
    local_part, _, domain = mail_from.rpartition("@")
    if not mail_from:
        domain = helo  # RFC 7208 §2.4: then it is postmaster of what HELO named
    # RFC 7208 §4.3: without a local part it is postmaster.
    client = _client(peer, (local_part or POSTMASTER, domain), helo, receiver, now)
    return await _verdict(resolver, SpfIdentity.MAILFROM, client)


async def check_helo(resolver: Resolver, *, peer: str, helo: str, receiver: str, now: Instant) -> SpfVerdict:
    """Of the HELO identity, which RFC 7208 §2.3 recommends to check beside the other."""
    client = _client(peer, (POSTMASTER, helo), helo, receiver, now)
    return await _verdict(resolver, SpfIdentity.HELO, client)


async def _verdict(resolver: Resolver, identity: SpfIdentity, client: Client | str) -> SpfVerdict:
    """client: or why it is none that SPF could be asked about."""
    if isinstance(client, str):
        return SpfVerdict(result=SpfResult.NONE, identity=identity, domain="", reason=client)
    domain = client.sender_domain
    evaluation = Evaluation(resolver, client)
    try:
        found = await evaluation.check_host(domain)
        explanation = await evaluation.explain(found) if found else ""
    except Invalid as fault:
        verdict = SpfVerdict(result=SpfResult.PERMERROR, identity=identity, domain=domain, reason=fault.detail)
    except TryAgainLater:
        reason = "DNS did not answer"
        verdict = SpfVerdict(result=SpfResult.TEMPERROR, identity=identity, domain=domain, reason=reason)
    else:
        verdict = _told(identity, domain, found, explanation)
        if verdict.result is SpfResult.FAIL and evaluation.is_unsure:
            verdict = replace(verdict, is_unsure=True, reason="DNS did not answer for a name of the client")
    return replace(verdict, lookups=evaluation.terms) if evaluation.terms else verdict


def _client(peer: str, sender: tuple[str, str], helo: str, receiver: str, now: Instant) -> Client | str:
    ip = _ip(peer)
    if ip is None:
        return "the client has no IP address"
    domain = _domain(sender)
    if domain is None:
        return "not the name of a domain"
    return Client(
        ip=ip,
        local_part=sender[0],
        sender_domain=domain,
        helo=helo[:MOST_HELO_OCTETS],
        receiver=receiver,
        seconds=now // SECOND_MS,
    )


def _told(identity: SpfIdentity, domain: str, found: Found | None, explanation: str) -> SpfVerdict:
    if found is None:
        return SpfVerdict(result=SpfResult.NONE, identity=identity, domain=domain, reason="no SPF record")
    if found.directive is None:
        reason = "no term of the record matches"
    else:
        reason = "" if found.domain == domain else f"by the record of {found.domain}"
    return SpfVerdict(
        result=found.result,
        identity=identity,
        domain=domain,
        mechanism=found.directive.text[:_TOLD_OF_MECHANISM] if found.directive else "",
        explanation=explanation,
        reason=reason,
    )


def _domain(sender: tuple[str, str]) -> str | None:
    """As A-labels (RFC 7208 §4.3, RFC 8616 §4); None for what has no record: address literals, single labels."""
    local_part, domain = sender
    if len(local_part) + len(domain) > MOST_SENDER_OCTETS:
        return None
    try:
        name = domain_key(domain)
    except Invalid:
        return None
    return name if "." in name and not name.startswith("[") else None


def _ip(peer: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        ip = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return None
    # RFC 7208 §5: an IPv4-mapped address is an IPv4 address.
    return ip if ip.version == 4 else ip.ipv4_mapped or ip
