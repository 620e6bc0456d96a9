"""How many connections one peer may hold open here at once. Counts this process only; a row goes with its last
connection, so that what is kept is bounded by the connections themselves."""

from ipaddress import IPv6Address

from mailstack.servers.smtp.limits import Limits


class Admission:
    def __init__(self) -> None:
        self._open: dict[str, int] = {}
        self._total = 0

    def admit(self, host: str, limits: Limits) -> bool:
        """False: one too many; then leave() is not called for it."""
        peer = _peer(host)
        here = self._open.get(peer, 0)
        if here >= limits.connections_per_ip or self._total >= limits.connections:
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


def _peer(host: str) -> str:
    # RFC 4291 §2.5.1: the last 64 bits of an IPv6 address are its owner's to choose.
    if ":" not in host:
        return host
    return str(int(IPv6Address(host)) >> 64)
