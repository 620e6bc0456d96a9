"""Sets of IP networks, and whether an address is in one of them. RFC 4291 §2.3."""

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

IpAddress = IPv4Address | IPv6Address
IpNetwork = IPv4Network | IPv6Network

REMEMBERED = 1_000
"""Addresses: to read one takes longer than most of what is asked of it, and of each mail several ask the same."""


@dataclass(frozen=True, slots=True)
class Networks:
    networks: tuple[IpNetwork, ...] = ()

    def __contains__(self, host: object) -> bool:
        """host: an address as text; what is none is in no network."""
        if not self.networks or not isinstance(host, str):
            return False
        try:
            address = ip_address(host)
        except ValueError:
            return False
        return any(address in network for network in self.networks)


NOWHERE = Networks()


def networks_of(texts: tuple[str, ...]) -> Networks:
    """texts: addresses, or networks with the length of their prefix. Raises ValueError."""
    return Networks(tuple(ip_network(text) for text in texts))


LOOPBACK = networks_of(("127.0.0.0/8", "::1"))

# RFC 1918 §3, RFC 3927 §2.1, RFC 4193 §3.1, RFC 4291 §2.5.6.
_NEAR = networks_of(
    (
        "127.0.0.0/8",
        "::1",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",
        "fc00::/7",
        "fe80::/10",
    )
)


@lru_cache(maxsize=REMEMBERED)
def is_near(host: str) -> bool:
    """Whether its address is of this machine or of a network that is somebody's own: nobody on the Internet has it."""
    address = address_of(host)
    return address is not None and any(address in network for network in _NEAR.networks)


THIS_MACHINE = "127.0.0.1"
"""Of who is at the other end of a unix socket, which has no addresses."""

UNNAMED = "0.0.0.0"  # noqa: S104  no address to listen on
"""Of a client whose address nobody knows; no packet comes from it."""


def is_this_machine(host: str) -> bool:
    """host: a name or an address; of names, the one that is never asked of DNS (RFC 6761 §6.3)."""
    return host == "localhost" or host in LOOPBACK


@lru_cache(maxsize=REMEMBERED)
def address_of(host: str) -> IpAddress | None:
    """That of a client as its own network has it, without the name of a zone; None for what is no address."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    # RFC 4291 §2.5.5.2: an IPv4 client of a socket for both.
    return getattr(address, "ipv4_mapped", None) or address


SUBSCRIBER_BITS = 64


@lru_cache(maxsize=REMEMBERED)
def subscriber_of(host: str) -> str:
    """Whom an address stands for: of IPv6 its /64, for the other bits are its owner's to choose (RFC 4291 §2.5.1). What
    is no address stands for itself."""
    if ":" not in host:
        return host
    try:
        return str(IPv6Network((host, SUBSCRIBER_BITS), strict=False))
    except ValueError:
        return host
