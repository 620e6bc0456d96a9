"""What this server may ask over HTTP for somebody else: who chooses the URL, must not make it speak to what only it can
reach. RFC 8620 §8.6.
"""

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network, ip_address

from mailstack.formats.web_url import WebUrl
from mailstack.model.networks import LOOPBACK, IpAddress, Networks, networks_of

# RFC 6761 §6.3
LOCALHOST = "localhost"
# RFC 6052 §2.1: an IPv4 address as a network has it that speaks IPv6 alone.
_NAT64 = IPv6Network("64:ff9b::/96")
# RFC 4291 §2.4: of IPv6, nothing else is given to hosts on the Internet.
_GLOBAL_UNICAST = IPv6Network("2000::/3")
# RFC 6890 §2.2.2, §2.2.3: what ipaddress takes for global, in some versions. Tunnels bring IPv4 addresses of any kind
# with them, and nothing that is asked is behind one.
_SPECIAL = networks_of(("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "2002::/16", "3fff::/20")).networks


@dataclass(frozen=True, slots=True, kw_only=True)
class WebTargets:
    """also: networks that are allowed, with TLS and without. has_internet: beside these, all of the Internet, with
    TLS; without it as well where in_plain. ports: the only ones of the Internet, None for all. own: addresses by which
    others reach this server. is_own: whether this machine has an address."""

    also: Networks
    has_internet: bool
    own: frozenset[str]
    is_own: Callable[[str], bool]
    in_plain: bool = False
    ports: frozenset[int] | None = None

    def may_be_given(self, url: WebUrl) -> bool:
        """As far as it can be told before its name is looked up: without TLS, all of it."""
        if url.is_address:
            return self.may_be_asked(url.host, url)
        if _is_localhost(url.host):
            return any(str(network.network_address) in LOOPBACK for network in self.also.networks)
        return not url.is_plain or self.in_plain

    def may_be_asked(self, address: str, url: WebUrl) -> bool:
        """address: of an IPv4 or IPv6 host, by which the URL's is then connected to, and by no other."""
        found = _meant(ip_address(address))
        if str(found) in self.also:
            return True
        if not self.has_internet or not _is_public(found):
            return False
        if (url.is_plain and not self.in_plain) or (self.ports is not None and url.port not in self.ports):
            return False
        return not self.own & {address, str(found)} and not self.is_own(str(found))


def _is_localhost(name: str) -> bool:
    return name == LOCALHOST or name.endswith(f".{LOCALHOST}")


def _meant(address: IpAddress) -> IpAddress:
    """Whom a packet to it reaches in the end."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return ip_address(int(address) & 0xFFFFFFFF)
    return address


def _is_public(address: IpAddress) -> bool:
    if address.version == 6 and address not in _GLOBAL_UNICAST:
        return False
    is_special = address.is_multicast or address.is_reserved or any(address in network for network in _SPECIAL)
    return address.is_global and not is_special
