"""Lists in DNS: how they are asked about an address or a name, and which answers say that it is listed. RFC 5782 §2."""

from ipaddress import IPv4Address, IPv4Network, ip_address

from mailstack.model.address import domain_key
from mailstack.model.errors import Invalid

MAX_NAME = 253
"""RFC 1035 §2.3.4: 255 octets with the lengths of the labels."""
# RFC 5782 §5: every list of addresses has 127.0.0.2, and none has 127.0.0.1; of names, TEST and INVALID.
ALWAYS_LISTED, NEVER_LISTED = "2.0.0.127", "1.0.0.127"
ALWAYS_LISTED_NAME, NEVER_LISTED_NAME = "test", "invalid"

# RFC 5782 §2.1: what is listed has an address in 127.0.0.0/8.
_LISTED = IPv4Network("127.0.0.0/8")
# Not in the RFC, but what the large lists answer to who may not ask, by a public resolver or too often: URIBL and SURBL
# the first, Spamhaus the second.
_REFUSED = (IPv4Network("127.0.0.1"), IPv4Network("127.255.255.0/24"))
# So does Spamhaus's list of names to who asks it about an address.
_NO_NAME = IPv4Address("127.0.1.255")
# Names of no use outside of where they are: RFC 6761 §6.3, RFC 6762 §3, RFC 7686 §2, RFC 8375 §4; ICANN has set
# internal aside.
_PRIVATE = ("localhost", "local", "onion", "home.arpa", "internal")

_BITS = tuple(str(1 << place) for place in range(8))


def is_listing(answer: str) -> bool:
    """answer: an address."""
    address = ip_address(answer)
    return address in _LISTED and address != _NO_NAME and not is_refusal(answer)


def is_refusal(answer: str) -> bool:
    """The list answers, but not us; so does one that answers outside of 127.0.0.0/8."""
    address = ip_address(answer)
    return address not in _LISTED or any(address in network for network in _REFUSED)


def parse_code(text: str) -> str:
    """What lists answer with, or a pattern of it: an address in 127.0.0.0/8, with `*` for any number behind the first.
    Raises ValueError with what is allowed."""
    try:
        address = IPv4Address(text.replace("*", "2"))
    except ValueError:
        address = IPv4Address(0)
    octets = text.split(".")
    if address not in _LISTED or any("*" in octet and octet != "*" for octet in octets) or octets[0] == "*":
        raise ValueError("not a code of a list (such as 127.0.1.4, or 127.0.*.3 with any number for *)")
    if "*" not in octets and not is_listing(text):
        raise ValueError("not a code of a listing: so lists answer to who may not ask")
    return text


def parse_bit(text: str) -> str:
    """What a list adds up to the last number of its code: a power of 2. Raises ValueError with what is allowed."""
    if text not in _BITS:
        raise ValueError(f"not a bit of a code's last number (allowed: {', '.join(_BITS)})")
    return text


def backwards(host: str) -> str | None:
    """An address as lists are asked about it; None for what is none."""
    try:
        address = ip_address(host)
    except ValueError:
        return None
    # RFC 5782 §2.1: octets in reverse; §2.4: of IPv6, nibbles.
    parts = host.split(".") if address.version == 4 else list(address.exploded.replace(":", ""))
    return ".".join(reversed(parts))


def public_address(host: str) -> str | None:
    """As backwards, of an address that others can have: private and local ones tell of nobody but us."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    # RFC 4291 §2.5.5.2: an IPv4 client of a socket for both.
    address = getattr(address, "ipv4_mapped", None) or address
    return backwards(str(address)) if address.is_global else None


def public_names(host: str) -> tuple[str, ...]:
    """What lists are asked about a name: its last two labels and its last three, for what is registered is one or the
    other. RFC 5782 §2.3. A-labels; none of a name without a dot, of a private one, of an address."""
    try:
        name = domain_key(host)
    except Invalid:
        return ()
    labels = name.split(".")
    if len(labels) == 1 or len(name) > MAX_NAME or labels[-1].isdigit() or name.startswith("["):
        return ()
    if any(name == private or name.endswith(f".{private}") for private in _PRIVATE):
        return ()
    return tuple(".".join(labels[-count:]) for count in (2, 3) if count <= len(labels))
