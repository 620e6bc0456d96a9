"""Connections that are nothing but counted."""

from mailstack.net.admission import Admission, Held


class Peers:
    """Connections to one admission, and which of them were asked to end: by their numbers, 0 for the oldest."""

    def __init__(self, admission: Admission, *, limit: int) -> None:
        self.admission = admission
        self.limit = limit
        self.held: dict[int, Held] = {}
        self.parted: list[int] = []
        self._count = 0

    def admitted(self, host: str, attempts: int) -> int:
        """How many of them."""
        return sum([self._come(host) for _ in range(attempts)])

    def leave(self, count: int = 1) -> None:
        """The oldest."""
        for number in [*self.held][:count]:
            self.admission.leave(self.held.pop(number))

    def go(self) -> int:
        """Those that were asked to; returns how many."""
        going = [number for number in self.parted if number in self.held]
        for number in going:
            self.admission.leave(self.held.pop(number))
        return len(going)

    def _come(self, host: str) -> bool:
        number = self._count
        held = self.admission.admit(host, limit=self.limit, part=lambda: self.parted.append(number))
        if held is None:
            return False
        self._count += 1
        self.held[number] = held
        return True


def part_with_newest(admission: Admission, count: int) -> None:
    """Of the one peer that has connections."""
    (peer,) = admission._open
    assert admission.part_with(peer, count, of=len(admission._open[peer])) == count
