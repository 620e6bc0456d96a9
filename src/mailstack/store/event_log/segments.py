"""What one process writes of the log: its events, gathered and written together, to a segment of its own.

Whoever tells an event neither waits for the disk nor hears of its faults: what cannot be written is dropped, counted,
and told once.
"""

import fcntl
import os
from collections import deque
from collections.abc import Callable
from itertools import count
from pathlib import Path
from threading import Lock

from mailstack.model.instant import Clock
from mailstack.store.event_log.parts import SEGMENT_SUFFIX, hour_at

SEGMENT_BYTES = 8 << 20
WAITING_BYTES = 4 << 20
"""What may wait for a disk that hangs; beyond it, events are dropped."""
LINE_BYTES = 256 << 10
TRIES = 100
"""At names for a new segment."""


class Segments:
    """clock: the machine's own. on_trouble: told why once events are dropped; on_end: how many were, once they are kept
    again. Both are called from within `write`.

    Where the folder is not there, nothing is kept: it is made and taken away by who serves (app.event_keeper).
    """

    def __init__(
        self, folder: Path, *, clock: Clock, on_trouble: Callable[[str], None], on_end: Callable[[int], None]
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._on_trouble = on_trouble
        self._on_end = on_end
        self._adding = Lock()
        self._writing = Lock()
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._dropped = 0
        self._is_failing = False
        self._file: int | None = None
        self._hour = ""
        self._size = 0
        self._is_torn = False
        self._numbers = count()

    def add(self, line: bytes) -> None:
        """From any thread. line: without its end."""
        with self._adding:
            if len(line) > LINE_BYTES or self._waiting_bytes + len(line) > WAITING_BYTES:
                self._dropped += 1
                return
            self._waiting.append(line)
            self._waiting_bytes += len(line)

    def write(self) -> None:
        """What waits, from any thread; takes the time that the disk takes."""
        with self._writing:
            tell = self._write()
        if tell is not None:
            tell()  # it may be an event, and lead here again

    def roll(self) -> None:
        """Closes the segment of an hour that is over: nobody knows when the next event comes."""
        with self._writing:
            if self._hour != hour_at(self._clock()):
                self._close()

    def begin_anew(self) -> None:
        """In a forked child: the segment is the parent's."""
        self._adding, self._writing = Lock(), Lock()
        self._waiting.clear()
        self._waiting_bytes = self._dropped = 0
        self._is_failing = False
        self._close()

    def _write(self) -> Callable[[], None] | None:
        """What to tell."""
        lines = self._taken()
        if not lines:
            return None
        try:
            is_kept = self._append(b"\n".join((*lines, b"")))
        except OSError as fault:
            return self._failed(len(lines), fault.strerror or type(fault).__name__)
        if not is_kept or not (self._is_failing or self._dropped):
            return None
        self._is_failing = False
        with self._adding:
            dropped, self._dropped = self._dropped, 0
        return (lambda: self._on_end(dropped)) if dropped else None

    def _failed(self, lines: int, reason: str) -> Callable[[], None] | None:
        self._is_torn = True  # perhaps, and an empty line is none
        with self._adding:
            self._dropped += lines
        was_failing, self._is_failing = self._is_failing, True
        return None if was_failing else lambda: self._on_trouble(reason)

    def _taken(self) -> list[bytes]:
        with self._adding:
            lines = [*self._waiting]
            self._waiting.clear()
            self._waiting_bytes = 0
        return lines

    def _append(self, text: bytes) -> bool:
        """False where nothing is kept. Raises OSError."""
        file = self._segment()
        if file is None:
            return False
        left = memoryview(b"\n" + text if self._is_torn else text)
        while left:
            written = os.write(file, left)
            self._size += written
            left = left[written:]
        self._is_torn = False
        return True

    def _segment(self) -> int | None:
        if self._file is not None:
            is_gone = not os.fstat(self._file).st_nlink
            if is_gone or self._size > SEGMENT_BYTES or self._hour != hour_at(self._clock()):
                self._close()
        if self._file is None:
            self._open()
        return self._file

    def _open(self) -> None:
        hour = hour_at(self._clock())
        for _ in range(TRIES):
            path = self._folder / f"{hour}.{os.getpid()}-{next(self._numbers)}{SEGMENT_SUFFIX}"
            try:
                file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
            except FileExistsError:  # of a process before this one, which had its number
                continue
            except FileNotFoundError:  # the folder: nothing is kept
                return
            fcntl.flock(file, fcntl.LOCK_EX)
            if os.fstat(file).st_nlink:  # else the keeper found it before it was locked, and nobody's
                self._file, self._hour, self._size = file, hour, 0
                return
            os.close(file)
        raise FileExistsError(f"no name is left for a segment of {hour}")

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file, self._is_torn = None, False
