"""Whom a server, a domain or an account lets in or keeps out by name: addresses, domains and networks.

An address in From proves nothing: what is let in by it must be proven to be of its domain.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from ipaddress import ip_network

from mailstack.model.address import domain_key, parse_address
from mailstack.model.errors import Invalid
from mailstack.model.networks import IpNetwork, address_of
from mailstack.spam.rules.evidence import Evidence


class Kind(Enum):
    """Of entries, the most specific first."""

    ADDRESS = "address"
    DOMAIN = "domain"
    BELOW = "below"
    NETWORK = "network"


@dataclass(frozen=True, slots=True)
class Entry:
    """key: an address key, or a domain as A-labels; "" of a network."""

    kind: Kind
    key: str = ""
    network: IpNetwork | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """entry: as it was written."""

    entry: str
    is_allowed: bool


def entry_of(text: str) -> Entry:
    """text: `alice@example.org`, `example.org`, `*.example.org` for all below it, `192.0.2.1` or `192.0.2.0/24`. Raises
    ValueError."""
    try:
        if "@" in text:
            return Entry(Kind.ADDRESS, parse_address(text).key)
        if "/" in text or address_of(text) is not None:
            return Entry(Kind.NETWORK, network=ip_network(text))
        below = text.removeprefix("*.")
        domain = domain_key(below)
    except (Invalid, ValueError) as fault:
        raise ValueError(f"not a sender: {fault}") from None
    if ("." not in domain and below == text) or domain.startswith("["):
        raise ValueError(
            "a sender is needed here: an address (a@example.org), a domain (example.org, *.example.org) or a network"
            " (192.0.2.0/24)"
        )
    return Entry(Kind.DOMAIN if below == text else Kind.BELOW, domain)


@dataclass(frozen=True, slots=True)
class _List:
    """names: by kind and key, as written. networks: the longest prefix first."""

    names: Mapping[tuple[Kind, str], str]
    networks: Sequence[tuple[IpNetwork, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowBlock:
    """Of one level: a server, a domain or an account."""

    allow: tuple[str, ...] = ()
    block: tuple[str, ...] = ()
    _allowed: _List = field(init=False, repr=False, compare=False)
    _blocked: _List = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Raises ValueError."""
        object.__setattr__(self, "_allowed", _listed(self.allow))
        object.__setattr__(self, "_blocked", _listed(self.block))

    def match(self, mail: Evidence) -> Match | None:
        """The most specific entry counts; of two that are as specific, the one that blocks."""
        block = _most_specific(self._blocked, _names(mail, is_proven=False), mail.peer_host)
        allow = _most_specific(self._allowed, _names(mail, is_proven=True), mail.peer_host)
        if block is not None and (allow is None or block[0] <= allow[0]):
            return Match(entry=block[1], is_allowed=False)
        return None if allow is None else Match(entry=allow[1], is_allowed=True)

    def claimed(self, mail: Evidence) -> str | None:
        """What would let the author in, if he was proven to be that."""
        found = _most_specific(self._allowed, _names_of(mail.author_address, mail.author_domain), peer_host="")
        return None if found is None else found[1]


def match_of(levels: Iterable[AllowBlock], mail: Evidence) -> Match | None:
    """levels: the account's, the domain's, the server's: the first that knows the sender counts."""
    return next((found for level in levels if (found := level.match(mail)) is not None), None)


def claimed_of(levels: Iterable[AllowBlock], mail: Evidence) -> str | None:
    """The entry that lets in whom the author says to be, where nothing proves it; as written."""
    return None if mail.is_proven else next((found for level in levels if (found := level.claimed(mail))), None)


def _listed(texts: Sequence[str]) -> _List:
    names: dict[tuple[Kind, str], str] = {}
    networks: list[tuple[IpNetwork, str]] = []
    for text in texts:
        entry = entry_of(text)
        if entry.network is None:
            names.setdefault((entry.kind, entry.key), text)
        else:
            networks.append((entry.network, text))
    networks.sort(key=lambda item: -item[0].prefixlen)
    return _List(names, networks)


_Rank = tuple[int, int]
_NETWORKS = 1000


def _most_specific(known: _List, names: Iterable[tuple[_Rank, Kind, str]], peer_host: str) -> tuple[_Rank, str] | None:
    """How specific it is, the least number for the most; and the entry."""
    found: list[tuple[_Rank, str]] = []
    if known.names:
        found += [(rank, known.names[kind, key]) for rank, kind, key in names if (kind, key) in known.names]
    if known.networks and (peer := address_of(peer_host)) is not None:
        inside = ((network, text) for network, text in known.networks if peer in network)
        found += [((_NETWORKS, peer.max_prefixlen - network.prefixlen), text) for network, text in inside]
    return min(found, default=None)


def _names(mail: Evidence, *, is_proven: bool) -> Iterator[tuple[_Rank, Kind, str]]:
    """What an entry may name: the author if that is proven, else the return path too."""
    if not is_proven or mail.is_proven:
        yield from _names_of(mail.author_address, mail.author_domain)
    if not is_proven:
        yield from _names_of(mail.reverse_path, mail.reverse_path.rpartition("@")[2].lower())


def _names_of(address: str, domain: str) -> Iterator[tuple[_Rank, Kind, str]]:
    try:
        yield (0, 0), Kind.ADDRESS, parse_address(address).key
    except Invalid:
        pass
    yield (1, 0), Kind.DOMAIN, domain
    above = domain
    level = 2
    while "." in above and level < 100:
        above = above.partition(".")[2]
        yield (level, 0), Kind.BELOW, above
        level += 1
