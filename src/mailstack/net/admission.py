"""How many connections one peer, an address or an account, may hold open at once: here, in the other workers of the
machine, and on other nodes. A row goes with its last connection, so that what is kept is bounded by the connections.

Workers see each other's counts at once (net.tally). Other nodes are told of those peers alone that are a crowd on some
node, which costs nothing for all the others: as long as none of ten nodes has more than a tenth of the limit, their sum
is within it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv6Address

from mailstack.net.tally import Nobody, Others

CROWD_SHARE = 10


class Admission:
    """service: whose connections are counted together. others: where those of other processes are seen. elsewhere: what
    other nodes told, by peer. on_crowd: called for each connection that a crowd has one more of."""

    def __init__(self, service: str = "", others: Others | None = None) -> None:
        self._service = service
        self._others = others or Nobody()
        self._open: dict[str, int] = {}
        self._total = 0
        self._crowds: set[str] = set()
        self.elsewhere: Mapping[str, int] = {}
        self.on_crowd: Callable[[], None] | None = None

    def admit(self, name: str, *, limit: int, total: int | None = None) -> bool:
        """name: of the peer. total: of all peers, in this process alone. False: one too many; then leave() is not
        called for it."""
        peer = self._peer(name)
        here = self._open.get(peer, 0)
        if here >= limit or (total is not None and self._total >= total):
            return False
        # Shown first and counted then: of two processes that let the last one in at the same moment, one sees it.
        self._others.note(peer, 1)
        near = here + 1 + self._others.count(peer)
        if near + self.elsewhere.get(peer, 0) > limit:
            self._others.note(peer, -1)
            return False
        if self.on_crowd is not None and near > limit // CROWD_SHARE:
            self._crowds.add(peer)
            self.on_crowd()
        self._open[peer] = here + 1
        self._total += 1
        return True

    def leave(self, name: str) -> None:
        peer = self._peer(name)
        self._others.note(peer, -1)
        self._total -= 1
        here = self._open[peer] - 1
        if here:
            self._open[peer] = here
        else:
            del self._open[peer]
            self._crowds.discard(peer)

    def crowds(self) -> dict[str, int]:
        """Connections in this process by peer, of those that are many here or on some other node."""
        return {peer: self._open[peer] for peer in self._crowds | (self._open.keys() & self.elsewhere.keys())}

    def _peer(self, name: str) -> str:
        return f"{self._service} {name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrance:
    """Where the connections of one service are counted. strangers: by their address; accounts: of who has logged in."""

    strangers: Admission = field(default_factory=Admission)
    accounts: Admission = field(default_factory=Admission)

    def place(self) -> "Place":
        return Place(self)


class Place:
    """What one connection is counted for: its address while it is a stranger's, and from a login on its account alone.
    So those who share an address (NAT, a webmail) share no more than what they hold before they have said who they are.
    """

    def __init__(self, entrance: Entrance) -> None:
        self._entrance = entrance
        self._held: tuple[Admission, str] | None = None

    def take_as_stranger(self, host: str, *, limit: int, total: int) -> bool:
        """False: one too many, and no place is held. total: strangers in this process."""
        return self._take(self._entrance.strangers, network_of(host), limit=limit, total=total)

    def take_as_account(self, account_id: str, *, limit: int, total: int | None = None) -> bool:
        """In place of what is held; False: one too many, and it stays what it was. total: in this process."""
        return self._take(self._entrance.accounts, account_id, limit=limit, total=total)

    def leave(self) -> None:
        if self._held is not None:
            admission, name = self._held
            self._held = None
            admission.leave(name)

    def _take(self, admission: Admission, name: str, *, limit: int, total: int | None) -> bool:
        if self._held == (admission, name):  # logged in anew on the same connection
            return True
        if not admission.admit(name, limit=limit, total=total):
            return False
        self.leave()
        self._held = admission, name
        return True


def network_of(host: str) -> str:
    # RFC 4291 §2.5.1: the last 64 bits of an IPv6 address are its owner's to choose.
    return host if ":" not in host else str(int(IPv6Address(host)) >> 64)


def host_of(peername: object) -> str:
    """A socket's peer without scope; one that came mapped through an IPv6 socket as IPv4 (RFC 4291 §2.5.5.2)."""
    host = str(peername[0]).partition("%")[0] if isinstance(peername, tuple) and peername else ""
    mapped = host.removeprefix("::ffff:")
    return mapped if "." in mapped else host
