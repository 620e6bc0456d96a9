"""How many connections each peer has in all workers of one machine: counters in memory that they share.

Each worker writes a column of its own and reads those of the others, so there is nothing to lock. A peer is counted in
two places that its name picks, and the smaller one is believed: another peer must share both to be counted with it.
Made before the workers are forked; nothing of it is ever sent, and a look costs a microsecond for each worker.
"""

import mmap
from typing import Final, Protocol

PLACES = 1 << 15
"""Of each of the two; 256 KiB a worker for both. Of 2,000 peers, seven share both of theirs with another one."""
COUNTER: Final = "I"
COUNTER_OCTETS = 4


class Others(Protocol):
    """The connections of a peer that are not this process'."""

    def note(self, peer: str, change: int) -> None:
        """For them to see: one more here (1), or one less (-1)."""
        ...

    def count(self, peer: str) -> int:
        """At least as many as there are."""
        ...


class Nobody:
    """There is no other process. Works as Others."""

    def note(self, peer: str, change: int) -> None: ...

    def count(self, peer: str) -> int:  # noqa: ARG002
        return 0


class Tally:
    def __init__(self, workers: int) -> None:
        octets = 2 * PLACES * COUNTER_OCTETS
        shared = memoryview(mmap.mmap(-1, workers * octets))
        self._columns = [shared[at * octets : (at + 1) * octets].cast(COUNTER) for at in range(workers)]

    def of(self, worker: int) -> Others:
        """For the worker that takes this place, which has no connections yet, whatever the one before it left."""
        own = self._columns[worker]
        own[:] = memoryview(bytes(own.nbytes)).cast(COUNTER)
        others = [column for at, column in enumerate(self._columns) if at != worker]
        return _Column(own, others) if others else Nobody()


class _Column:
    def __init__(self, own: "memoryview[int]", others: "list[memoryview[int]]") -> None:
        self._own = own
        self._others = others

    def note(self, peer: str, change: int) -> None:
        one, two = _places(peer)
        self._own[one] += change
        self._own[two] += change

    def count(self, peer: str) -> int:
        one, two = _places(peer)
        return min(sum([other[one] for other in self._others]), sum([other[two] for other in self._others]))


def _places(peer: str) -> tuple[int, int]:
    # Keyed with what this process and those it forked alone know: nobody outside can look for two peers of one place.
    mixed = hash(peer)
    return mixed % PLACES, PLACES + (mixed >> 20) % PLACES
