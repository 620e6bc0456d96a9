"""How many connections one peer may hold open at once: here, in the other workers of the machine, and on other nodes. A
row goes with its last connection, so that what is kept is bounded by the connections themselves.

Workers see each other's counts at once (net.tally). Other nodes are told of those peers alone that are a crowd on some
node, which costs nothing for all the others: as long as none of ten nodes has more than a tenth of the limit, their sum
is within it.
"""

from collections.abc import Callable, Mapping
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

    def admit(self, host: str, *, per_host: int, total: int) -> bool:
        """False: one too many; then leave() is not called for it. total: in this process alone."""
        peer = self._peer(host)
        here = self._open.get(peer, 0)
        if here >= per_host or self._total >= total:
            return False
        # Shown first and counted then: of two processes that let the last one in at the same moment, one sees it.
        self._others.note(peer, 1)
        near = here + 1 + self._others.count(peer)
        if near + self.elsewhere.get(peer, 0) > per_host:
            self._others.note(peer, -1)
            return False
        if self.on_crowd is not None and near > per_host // CROWD_SHARE:
            self._crowds.add(peer)
            self.on_crowd()
        self._open[peer] = here + 1
        self._total += 1
        return True

    def leave(self, host: str) -> None:
        peer = self._peer(host)
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

    def _peer(self, host: str) -> str:
        # RFC 4291 §2.5.1: the last 64 bits of an IPv6 address are its owner's to choose.
        network = host if ":" not in host else str(int(IPv6Address(host)) >> 64)
        return f"{self._service} {network}"


def host_of(peername: object) -> str:
    """A socket's peer without scope; one that came mapped through an IPv6 socket as IPv4 (RFC 4291 §2.5.5.2)."""
    host = str(peername[0]).partition("%")[0] if isinstance(peername, tuple) and peername else ""
    mapped = host.removeprefix("::ffff:")
    return mapped if "." in mapped else host
