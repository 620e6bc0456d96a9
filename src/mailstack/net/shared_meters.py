"""How fast each destination was sent to, in memory that all workers of a machine share.

A meter has two places that its name picks; with both taken by others, the one goes that is, or would be, empty first.
Made before the workers are forked. The lock is the system's, on a file that is in memory alone: it ends with a worker
that is killed while it has it.
"""

import fcntl
import mmap
import os
import weakref
from collections.abc import Callable
from typing import TypeVar

from mailstack.model.delivery import Priority
from mailstack.model.rate import Meter

Result = TypeVar("Result")

PLACES = 1 << 14
"""A place: the meter's key, and its numbers."""
NUMBERS = 1 + len(Priority)
OCTETS = 8


class SharedMeters:
    def __init__(self) -> None:
        shared = memoryview(mmap.mmap(-1, PLACES * (1 + NUMBERS) * OCTETS))
        self._keys = shared[: PLACES * OCTETS].cast("q")
        self._numbers = shared[PLACES * OCTETS :].cast("d")
        self._lock = os.memfd_create("mailstack-meters", os.MFD_CLOEXEC)
        weakref.finalize(self, os.close, self._lock)

    def fileno(self) -> int:
        """Of the lock, which a worker must keep open: its number would be another file's, and that one locked."""
        return self._lock

    def change(self, name: str, change: Callable[[Meter], tuple[Meter, Result]]) -> Result:
        """Nobody else changes any meanwhile, so that `change` must be quick."""
        fcntl.lockf(self._lock, fcntl.LOCK_EX)
        try:
            key = hash(name) or 1
            at = self._place(key)
            meter, result = change(self._read(at) if self._keys[at] == key else Meter())
            self._numbers[at * NUMBERS], self._keys[at] = meter.empty_at, key
            for priority, time in enumerate(meter.lines, start=at * NUMBERS + 1):
                self._numbers[priority] = time
            return result
        finally:
            fcntl.lockf(self._lock, fcntl.LOCK_UN)

    def _read(self, at: int) -> Meter:
        empty_at, *lines = self._numbers[at * NUMBERS : (at + 1) * NUMBERS]
        return Meter(empty_at=empty_at, lines=tuple(lines))

    def _place(self, key: int) -> int:
        # As net.tally's: by what this process and those it forked alone know.
        places = (key % PLACES, (key >> 20) % PLACES)
        own = next((place for place in places if self._keys[place] == key), None)
        return min(places, key=lambda place: self._numbers[place * NUMBERS]) if own is None else own
