"""One number for each peer and worker of a machine, in memory that they share: what each has noted of a peer, for the
others to read. net.tally's way, for what must never be taken for another peer's.

Each worker writes a table of its own and reads those of the others, so there is nothing to lock. A peer has two places
that its name picks; with both taken by others, the lesser number goes. What is lost so is lost for the others alone.
Made before the workers are forked; nothing of it is ever sent.
"""

import mmap
from collections.abc import Sequence

PLACES = 1 << 15
"""Of a worker: half a megabyte. A place: the peer's key, and its number."""
OCTETS = 8


class SharedMarks:
    def __init__(self, workers: int) -> None:
        octets = PLACES * OCTETS
        shared = memoryview(mmap.mmap(-1, workers * 2 * octets))
        self._tables = [
            _Table(keys=shared[at : at + octets].cast("q"), marks=shared[at + octets : at + 2 * octets].cast("d"))
            for at in range(0, len(shared), 2 * octets)
        ]

    def of(self, worker: int) -> "Marks":
        """For the worker that takes this place, which has noted nothing yet, whatever the one before it left."""
        own = self._tables[worker]
        own.clear()
        return Marks(own, [table for table in self._tables if table is not own])


class Marks:
    """As one worker puts and sees them."""

    def __init__(self, own: "_Table", others: "Sequence[_Table]") -> None:
        self._own = own
        self._others = others

    def put(self, peer: str, mark: float) -> None:
        self._own.put(_key(peer), mark)

    def drop(self, peer: str) -> None:
        self._own.drop(_key(peer))

    def of_others(self, peer: str) -> Sequence[float]:
        """Of each worker that has one."""
        key = _key(peer)
        found = (table.mark(key) for table in self._others)
        return [mark for mark in found if mark is not None]


class _Table:
    def __init__(self, *, keys: "memoryview[int]", marks: "memoryview[float]") -> None:
        self._keys = keys
        self._marks = marks

    def clear(self) -> None:
        self._keys[:] = memoryview(bytes(self._keys.nbytes)).cast("q")

    def put(self, key: int, mark: float) -> None:
        at = self._place(key)
        if at is None:
            at = min(_places(key), key=lambda place: self._marks[place] if self._keys[place] else float("-inf"))
        # Whoever reads meanwhile finds nobody there, and not one peer's number under another's key.
        self._keys[at] = 0
        self._marks[at] = mark
        self._keys[at] = key

    def drop(self, key: int) -> None:
        at = self._place(key)
        if at is not None:
            self._keys[at] = 0

    def mark(self, key: int) -> float | None:
        at = self._place(key)
        if at is None:
            return None
        mark = self._marks[at]
        return mark if self._keys[at] == key else None

    def _place(self, key: int) -> int | None:
        return next((place for place in _places(key) if self._keys[place] == key), None)


def _key(peer: str) -> int:
    # Keyed with what this process and those it forked alone know: nobody outside can look for two peers of one place.
    return hash(peer) or 1


def _places(key: int) -> tuple[int, int]:
    return key % PLACES, (key >> 20) % PLACES
