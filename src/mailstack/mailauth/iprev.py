"""iprev: has the client's address a name that has this address. RFC 8601 §3.

A name says nothing of who sends; that none is there at all says something of whose machine it is.
"""

import ipaddress

from mailstack.model.errors import TryAgainLater
from mailstack.model.verdict import IprevResult, IprevVerdict
from mailstack.ports.resolver import IpVersion, Resolver

MOST_NAMES = 10  # as RFC 7208 §4.6.4 has it


async def check(resolver: Resolver, peer: str) -> IprevVerdict:
    """peer: what is no IP address has no name. Stops at the first name that is confirmed."""
    try:
        ip = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return IprevVerdict(result=IprevResult.PERMERROR, reason="the client has no IP address")
    if ip.version == 6:
        ip = ip.ipv4_mapped or ip
    try:
        names = await resolver.names_of(str(ip))
    except TryAgainLater:
        return IprevVerdict(result=IprevResult.TEMPERROR, reason="DNS did not answer")
    if not names:
        # RFC 8601 §2.7.3: permerror, for there was nothing to compare.
        return IprevVerdict(result=IprevResult.PERMERROR, reason="the address has no name")
    is_sure = True
    for name in names[:MOST_NAMES]:
        try:
            if await has_address(resolver, name, ip):
                return IprevVerdict(result=IprevResult.PASS, name=name)
        except TryAgainLater:
            is_sure = False
    if not is_sure:
        return IprevVerdict(result=IprevResult.TEMPERROR, reason="DNS did not answer")
    return IprevVerdict(result=IprevResult.FAIL, reason="no name of the address has this address")


async def has_address(resolver: Resolver, name: str, ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Raises TryAgainLater."""
    version: IpVersion = 4 if ip.version == 4 else 6
    return any(ip == ipaddress.ip_address(address) for address in await resolver.addresses_of(name, version))
