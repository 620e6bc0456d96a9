"""How many connections one peer may hold open here at once. Counts this process only; a row goes with its last
connection, so that what is kept is bounded by the connections themselves."""

from ipaddress import IPv6Address


class Admission:
    def __init__(self) -> None:
        self._open: dict[str, int] = {}
        self._total = 0

    def admit(self, host: str, *, per_host: int, total: int) -> bool:
        """False: one too many; then leave() is not called for it."""
        peer = _peer(host)
        here = self._open.get(peer, 0)
        if here >= per_host or self._total >= total:
            return False
        self._open[peer] = here + 1
        self._total += 1
        return True

    def leave(self, host: str) -> None:
        peer = _peer(host)
        self._total -= 1
        here = self._open[peer] - 1
        if here:
            self._open[peer] = here
        else:
            del self._open[peer]


def host_of(peername: object) -> str:
    """A socket's peer without scope; one that came mapped through an IPv6 socket as IPv4 (RFC 4291 §2.5.5.2)."""
    host = str(peername[0]).partition("%")[0] if isinstance(peername, tuple) and peername else ""
    mapped = host.removeprefix("::ffff:")
    return mapped if "." in mapped else host


def _peer(host: str) -> str:
    # RFC 4291 §2.5.1: the last 64 bits of an IPv6 address are its owner's to choose.
    if ":" not in host:
        return host
    return str(int(IPv6Address(host)) >> 64)
