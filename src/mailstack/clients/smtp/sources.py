"""What a connection leaves from, and how it is introduced there: of the server's addresses one that the machine has.

RFC 5321 §4.1.4: the name in EHLO is one of the machine's own; receivers hold it against the address (RFC 1912 §2.1).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from ipaddress import IPv4Address, IPv6Address, ip_address

import structlog

from mailstack.model.source import Origin, Source

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Own:
    """What is asked of an address at each connection."""

    source: Source
    version: int
    is_loopback: bool
    is_global: bool


class Sources:
    """own: the server's addresses with their names. is_own: whether the machine has one, now."""

    def __init__(self, own: Sequence[Source], *, hostname: str, is_own: Callable[[str], bool]) -> None:
        self._own = tuple(map(_looked_at, own))
        self._unnamed = Source("", hostname)
        self._is_own = is_own
        self._told: set[tuple[str, ...]] = set()

    def toward(self, destination: str, origin: Origin) -> Source:
        """destination: an address. Without an address of its own where the system is to choose."""
        there = ip_address(destination)
        reaching = [own for own in self._own if _reaches(own, there)]
        fitting = [own.source for own in reaching if own.source.address in origin.among] or _near(reaching, there)
        here = [source for source in fitting if self._is_own(source.address)]
        if here:
            return here[0] if len(here) == 1 else _chosen(here, origin.mark)
        if fitting:
            self._tell(tuple(source.address for source in fitting))
        names = {source.name for source in fitting}
        # An address that is translated to (NAT) is the one that the other side sees, if there is no other.
        return Source("", names.pop()) if len(names) == 1 else self._unnamed

    def order(self, destinations: Sequence[str], origin: Origin) -> list[str]:
        """Those of a family that the mail's route names an address of come first; else as they are."""
        families = {own.version for own in self._own if own.source.address in origin.among}
        return sorted(destinations, key=lambda address: (6 if ":" in address else 4) not in families)

    def _tell(self, absent: tuple[str, ...]) -> None:
        if absent not in self._told:
            self._told.add(absent)
            # Behind NAT as it should be; else the address is missing on an interface, or wrong in the spec.
            log.info(
                "no address of server.addresses is on this machine, mail leaves from what the system chooses",
                addresses=list(absent),
            )


def _looked_at(source: Source) -> _Own:
    found = ip_address(source.address)
    return _Own(source, found.version, found.is_loopback, found.is_global)


def _reaches(own: _Own, there: IPv4Address | IPv6Address) -> bool:
    """From elsewhere nothing reaches loopback, nor does anything that leaves from there get away."""
    if there.version == 6 and there.ipv4_mapped:
        return False
    return own.version == there.version and own.is_loopback == there.is_loopback


def _near(reaching: Sequence[_Own], there: IPv4Address | IPv6Address) -> list[Source]:
    """A neighbour in a private network knows us by our address there, and may have no way back to a public one."""
    same = [own.source for own in reaching if own.is_global == there.is_global]
    return same or ([own.source for own in reaching] if there.is_global else [])


def _chosen(sources: Sequence[Source], mark: str) -> Source:
    """One that is added or goes changes the choice of no mail but those that it is for."""
    return max(sources, key=lambda source: blake2b(f"{mark} {source.address}".encode(), digest_size=8).digest())
