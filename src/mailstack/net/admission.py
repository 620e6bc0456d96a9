"""How many connections one peer may hold open at once, in this process and in those that share their counts with it. A
row goes with its last connection, so that what is kept is bounded by the connections themselves."""

from ipaddress import IPv6Address

from mailstack.net.tally import Nobody, Others


class Admission:
    """service: whose connections are counted together. others: where those of other processes are seen."""

    def __init__(self, service: str = "", others: Others | None = None) -> None:
        self._service = service
        self._others = others or Nobody()
        self._open: dict[str, int] = {}
        self._total = 0

    def admit(self, host: str, *, per_host: int, total: int) -> bool:
        """False: one too many; then leave() is not called for it. total: in this process alone."""
        peer = self._peer(host)
        here = self._open.get(peer, 0)
        if here >= per_host or self._total >= total:
            return False
        # Shown first and counted then: of two processes that let the last one in at the same moment, one sees it.
        self._others.note(peer, 1)
        if here + 1 + self._others.count(peer) > per_host:
            self._others.note(peer, -1)
            return False
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

    def _peer(self, host: str) -> str:
        # RFC 4291 §2.5.1: the last 64 bits of an IPv6 address are its owner's to choose.
        network = host if ":" not in host else str(int(IPv6Address(host)) >> 64)
        return f"{self._service} {network}"


def host_of(peername: object) -> str:
    """A socket's peer without scope; one that came mapped through an IPv6 socket as IPv4 (RFC 4291 §2.5.5.2)."""
    host = str(peername[0]).partition("%")[0] if isinstance(peername, tuple) and peername else ""
    mapped = host.removeprefix("::ffff:")
    return mapped if "." in mapped else host
