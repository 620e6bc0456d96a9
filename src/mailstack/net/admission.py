"""How many connections one peer, an address, its network or an account, may hold open at once: here, in the other
workers of the machine, and on other nodes. A row goes with its last connection, so that what is kept is bounded by
the connections.

Workers see each other's counts at once (net.tally). Other nodes are told of those peers alone that are a crowd on some
node, which costs nothing for all the others: as long as none of ten nodes has more than a tenth of the limit, their sum
is within it. What came in everywhere before word had gone round is parted with: net.surplus says how many by whom.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv6Address
from itertools import islice

from mailstack.model.networks import subscriber_of
from mailstack.net.tally import Nobody, Others

CROWD_SHARE = 10
NEIGHBOURS = 8
"""How many times one address' connections all addresses of its network may hold: whoever rents one has many."""


@dataclass(slots=True, kw_only=True, eq=False)
class Held:
    """The place of one connection. part: asks it to end as soon as it can do so politely; called once at most."""

    peer: str
    part: Callable[[], None]
    is_parting: bool = False


class Admission:
    """service: whose connections are counted together. others: where those of other processes are seen. elsewhere: what
    other nodes told, by peer. on_crowd: called for each connection that a crowd has one more of, and when one has gone
    that was parted with."""

    def __init__(self, service: str = "", others: Others | None = None) -> None:
        self._service = service
        self._others = others or Nobody()
        self._open: dict[str, dict[Held, None]] = {}  # oldest first
        self._total = 0
        self._limit = 0
        self._crowds: set[str] = set()
        self.elsewhere: Mapping[str, int] = {}
        self.on_crowd: Callable[[], None] | None = None

    @property
    def limit(self) -> int:
        """As the last who came was held to it."""
        return self._limit

    def admit(self, name: str, *, limit: int, total: int | None = None, part: Callable[[], None]) -> Held | None:
        """name: of the peer. total: of all peers, in this process alone. None: one too many."""
        peer = f"{self._service} {name}"
        self._limit = limit
        here = len(self._open.get(peer, ()))
        if here >= limit or (total is not None and self._total >= total):
            return None
        # Shown first and counted then: of two processes that let the last one in at the same moment, one sees it.
        self._others.note(peer, 1)
        near = here + 1 + self._others.count(peer)
        if near + self.elsewhere.get(peer, 0) > limit:
            self._others.note(peer, -1)
            return None
        if near > limit // CROWD_SHARE:
            self._crowds.add(peer)
            self._tell_of_change()
        held = Held(peer=peer, part=part)
        self._open.setdefault(peer, {})[held] = None
        self._total += 1
        return held

    def leave(self, held: Held) -> None:
        peer = held.peer
        self._others.note(peer, -1)
        self._total -= 1
        places = self._open[peer]
        del places[held]
        if not places:
            del self._open[peer]
            self._crowds.discard(peer)
        if held.is_parting:
            self._tell_of_change()

    def crowds(self) -> dict[str, int]:
        """Connections in this process by peer, of those that are many here or on some other node."""
        return {peer: len(self._open[peer]) for peer in self._crowds | (self._open.keys() & self.elsewhere.keys())}

    def crowds_in_surplus(self) -> set[str]:
        """Peers that seem to hold more than the limit on all nodes together."""
        return {
            peer
            for peer, here in self.crowds().items()
            if here + self._others.count(peer) + self.elsewhere.get(peer, 0) > self._limit
        }

    def part_with(self, peer: str, surplus: int, *, of: int) -> int:
        """The newest first. surplus: with those that are parting already; of: how many there were when it was found,
        for whoever has left since needs no asking. Returns how many more were asked to."""
        places = self._open.get(peer, {})
        gone = max(of - len(places), 0)
        more = surplus - gone - sum(held.is_parting for held in places)
        newest = [*islice((held for held in reversed(places) if not held.is_parting), max(more, 0))]
        for held in newest:
            held.is_parting = True
            held.part()
        return len(newest)

    def _tell_of_change(self) -> None:
        if self.on_crowd is not None:
            self.on_crowd()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrance:
    """Where the connections of one service are counted. strangers: by their address; networks: by that of their
    address; accounts: of who has logged in."""

    strangers: Admission = field(default_factory=Admission)
    networks: Admission = field(default_factory=Admission)
    accounts: Admission = field(default_factory=Admission)

    def place(self, part: Callable[[], None]) -> "Place":
        """part: asks the connection to end; see Held."""
        return Place(self, part)


class Place:
    """What one connection is counted for: its address, and the network of it, while it is a stranger's, and from a
    login on its account alone.
    So those who share an address (NAT, a webmail) share no more than what they hold before they have said who they are.
    """

    def __init__(self, entrance: Entrance, part: Callable[[], None]) -> None:
        self._entrance = entrance
        self._part = part
        self._held: tuple[Admission, str, Held] | None = None
        self._held_in_network: Held | None = None

    def take_as_stranger(self, host: str, *, limit: int, total: int) -> bool:
        """False: one too many, and no place is held. total: strangers in this process."""
        networks = self._entrance.networks
        held = networks.admit(network_of(host), limit=limit * NEIGHBOURS, part=self._part)
        if held is None:
            return False
        if not self._take(self._entrance.strangers, subscriber_of(host), limit=limit, total=total):
            networks.leave(held)
            return False
        self._held_in_network = held
        return True

    def take_as_account(self, account_id: str, *, limit: int, total: int | None = None) -> bool:
        """In place of what is held; False: one too many, and it stays what it was. total: in this process."""
        return self._take(self._entrance.accounts, account_id, limit=limit, total=total)

    def leave(self) -> None:
        if self._held is not None:
            admission, _, held = self._held
            self._held = None
            admission.leave(held)
        if self._held_in_network is not None:
            self._entrance.networks.leave(self._held_in_network)
            self._held_in_network = None

    def _take(self, admission: Admission, name: str, *, limit: int, total: int | None) -> bool:
        if self._held is not None and self._held[:2] == (admission, name):  # logged in anew on the same connection
            return True
        held = admission.admit(name, limit=limit, total=total, part=self._part)
        if held is None:
            return False
        self.leave()
        self._held = admission, name, held
        return True


def network_of(host: str) -> str:
    """The addresses that one customer of a provider may well have: a /24 of IPv4, of IPv6 a /48 (RFC 6177 §2)."""
    return host.rpartition(".")[0] if ":" not in host else f"{int(IPv6Address(host)) >> 80}/48"


def host_of(peername: object) -> str:
    """A socket's peer without scope; one that came mapped through an IPv6 socket as IPv4 (RFC 4291 §2.5.5.2)."""
    host = str(peername[0]).partition("%")[0] if isinstance(peername, tuple) and peername else ""
    mapped = host.removeprefix("::ffff:")
    return mapped if "." in mapped else host
