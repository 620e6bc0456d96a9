"""The PROXY protocol, versions 1 and 2: whom a proxy connects for, which it says before anything else is said.

A machine without I/O. It asks for exactly as many octets as belong to the header: what follows it is the client's, and
may be the first of a TLS handshake. Sections are those of HAProxy's "The PROXY protocol", versions 1 and 2.
"""

from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from mailstack.model.errors import Invalid

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
# §2.1: the shortest line of version 1 is `PROXY UNKNOWN` with CRLF, the longest has 107 octets; §2.2: 16 are fixed.
SHORTEST_OCTETS = 15
LONGEST_LINE_OCTETS = 107
FIXED_OCTETS = 16
LONGEST_REST_OCTETS = 4_096
"""Addresses and extensions of version 2 (which may hold a client's certificate); the protocol itself allows 64 KiB."""

_LOCAL, _PROXY = 0x20, 0x21
_UNSPECIFIED, _TCP4, _TCP6 = 0x00, 0x11, 0x21


@dataclass(frozen=True, slots=True)
class Origin:
    """host: the client's address; "" where the proxy speaks for nobody: its own checks, or a client it cannot name."""

    host: str


NOBODY = Origin("")


class ProxyHeader:
    """wanted: how many octets are to be fed next, no more; 0 once it is done."""

    def __init__(self) -> None:
        self.wanted = SHORTEST_OCTETS
        self._octets = bytearray()

    def feed(self, octets: bytes) -> Origin | None:
        """octets: at least one, at most `wanted`. None: more is wanted. Raises Invalid."""
        self._octets += octets
        if len(octets) < self.wanted:
            self.wanted -= len(octets)
            return None
        origin = self._binary() if self._octets.startswith(SIGNATURE) else self._line()
        if origin is not None:
            self.wanted = 0
        return origin

    def _line(self) -> Origin | None:
        """§2.1: version 1."""
        line = self._octets
        if not line.startswith(b"PROXY "):
            raise Invalid("no PROXY header")
        if line.endswith(b"\r\n"):
            return _origin_of_line(bytes(line[:-2]))
        if line.find(b"\r", 0, -1) >= 0 or b"\n" in line or len(line) >= LONGEST_LINE_OCTETS:
            raise Invalid("a PROXY line without an end")
        self.wanted = 1 if line.endswith(b"\r") else 2
        return None

    def _binary(self) -> Origin | None:
        """§2.2: version 2."""
        octets = self._octets
        if len(octets) < FIXED_OCTETS:
            self.wanted = FIXED_OCTETS - len(octets)
            return None
        length = int.from_bytes(octets[14:16], "big")
        if length > LONGEST_REST_OCTETS:
            raise Invalid("an overlong PROXY header")
        left = FIXED_OCTETS + length - len(octets)
        if left:
            self.wanted = left
            return None
        return _origin_of_block(octets[12], octets[13], bytes(octets[FIXED_OCTETS:]))


def _origin_of_line(line: bytes) -> Origin:
    words = line.decode("ascii", "replace").split(" ")
    # §2.1: behind UNKNOWN anything may stand, and is passed over.
    if words[1] == "UNKNOWN":
        return NOBODY
    if len(words) != 6 or words[1] not in ("TCP4", "TCP6") or not all(map(_is_port, words[4:])) or b"%" in line:
        raise Invalid("a malformed PROXY line")
    kind = IPv4Address if words[1] == "TCP4" else IPv6Address
    try:
        source, _ = [kind(word) for word in words[2:4]]
    except AddressValueError:
        raise Invalid("a PROXY line without addresses") from None
    return Origin(_plain(source))


def _is_port(word: str) -> bool:
    return word.isascii() and word.isdigit() and str(int(word[:6])) == word and int(word) <= 65_535


def _origin_of_block(command: int, family: int, rest: bytes) -> Origin:
    """rest: addresses, ports, then extensions, which are passed over."""
    if command == _LOCAL:
        return NOBODY  # §2.2: whatever stands behind it
    if command != _PROXY:
        raise Invalid("a PROXY header of an unknown version or command")
    if family == _UNSPECIFIED:
        return NOBODY
    if family == _TCP4 and len(rest) >= 12:
        return Origin(str(IPv4Address(rest[:4])))
    if family == _TCP6 and len(rest) >= 36:
        return Origin(_plain(IPv6Address(rest[:16])))
    raise Invalid("a PROXY header for something other than TCP over IP")


def _plain(address: IPv4Address | IPv6Address) -> str:
    """RFC 4291 §2.5.5.2: an IPv4 address that came mapped is one."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)
