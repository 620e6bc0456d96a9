"""What mail needs of DNS besides our records: reverse names, signatures, delegations; asked of a resolver.

RFC 1912 §2.1 (an address's name leads back to it), RFC 4035, RFC 7672 §2.2 (DANE needs DNSSEC).
"""

import asyncio
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass

from mailstack.reconcile.dns.live import NOT_ASKED, LiveDns, Sight
from mailstack.reconcile.dns.zones import zone_of
from mailstack.spec.model import Spec


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """is_good: None where nothing could be learned; then text says why."""

    subject: str
    text: str
    is_good: bool | None


async def health(spec: Spec, live_dns: LiveDns, nameservers: Mapping[str, tuple[str, ...]]) -> tuple[Remark, ...]:
    """nameservers: of zones, as their provider has them."""
    hostname = spec.server.hostname
    own = [each for each in spec.server.addresses if _is_public(each.address)]
    asked = [_reverse_name(live_dns, each.address, each.name or hostname) for each in own]
    if spec.tls.dane:
        asked += [_signature(live_dns, zone) for zone in _zones_of_dane(spec)]
    asked += [delegation(spec, live_dns, zone, held) for zone, held in nameservers.items()]
    found = await asyncio.gather(*asked)
    return tuple(remark for remark in found if remark is not None)


def _zones_of_dane(spec: Spec) -> tuple[str, ...]:
    """RFC 7672 §2.2.1, §2.2.3: that of the TLSA records, and those of the MX records that lead there."""
    hostname, zones = spec.server.hostname, spec.dns.zones
    of_host = zone_of(hostname, zones) or hostname.partition(".")[2]
    return tuple(dict.fromkeys((of_host, *(zone_of(name, zones) or name for name in spec.domains))))


def _is_public(address: str) -> bool:
    """Nobody outside can ask for the name of a private address."""
    return ipaddress.ip_address(address).is_global


async def _reverse_name(live_dns: LiveDns, address: str, hostname: str) -> Remark | None:
    subject = f"address {address}"
    sight = await live_dns.resolved(ipaddress.ip_address(address).reverse_pointer, "PTR")
    if sight.failure:
        return _unknown(subject, sight)
    names = [name.rstrip(".") for name in sight.values]
    if hostname in names:
        return Remark(subject=subject, text=f"its PTR record names {hostname}", is_good=True)
    if not names:
        text = f"has no PTR record, and many servers refuse mail from it: whoever rents it to you sets it to {hostname}"
    else:
        text = f"its PTR record names {', '.join(names)}, not {hostname}: whoever rents it to you can change that"
    return Remark(subject=subject, text=text, is_good=False)


async def _signature(live_dns: LiveDns, zone: str) -> Remark | None:
    """RFC 4035 §5: a zone counts as signed where its parent holds a DS record for it."""
    subject = f"dns_zone {zone}"
    sight = await live_dns.resolved(zone, "DS")
    if sight.failure:
        return _unknown(subject, sight)
    if sight.values:
        return Remark(subject=subject, text="is signed with DNSSEC", is_good=True)
    text = "is not signed (its parent has no DS record for it): senders that look it up ignore tls.dane"
    return Remark(subject=subject, text=text, is_good=False)


async def delegation(spec: Spec, live_dns: LiveDns, zone: str, held: tuple[str, ...]) -> Remark | None:
    """held: its name servers, as its provider has them. None where the world need not see the zone."""
    # Who says whom to ask has such a zone.
    if not held or zone not in spec.dns.zones or spec.dns.zones[zone].nameservers:
        return None
    subject = f"dns_zone {zone}"
    sight = await live_dns.resolved(zone, "NS")
    if sight.failure:
        return _unknown(subject, sight)
    if not sight.values:
        return Remark(
            subject=subject, text="is delegated to nobody: what is published in it is not seen", is_good=False
        )
    if {name.lower() for name in held} & set(sight.values):
        return Remark(subject=subject, text="is delegated to the servers that the provider names", is_good=True)
    theirs, ours = (", ".join(sorted(name.rstrip(".") for name in names)) for names in (sight.values, held))
    text = f"is delegated to {theirs}; the provider writes for {ours}, and what it publishes is not seen"
    return Remark(subject=subject, text=text, is_good=False)


def _unknown(subject: str, sight: Sight) -> Remark | None:
    """Nothing to say where nobody was meant to be asked."""
    return None if sight.failure == NOT_ASKED else Remark(subject=subject, text=sight.failure, is_good=None)
