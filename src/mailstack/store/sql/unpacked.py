"""Large messages read piece by piece: unpacked and checked once, into files that have no name.

Not in memory, where a few of 50 MB would crowd out everything else; read by pread, for a mapped file that is cut short
kills the process.
"""

import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from mmap import ACCESS_READ, mmap
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from mailstack.model.errors import TryAgainLater
from mailstack.model.ids import BlobId

MAX_FILES = 4
PIECE_BYTES = 1 << 20


class UnpackedFiles:
    """Blocking, used by any thread: the last few that were asked for."""

    def __init__(self) -> None:
        self._files: OrderedDict[BlobId, IO[bytes]] = OrderedDict()
        self._guard = threading.Lock()

    def read(
        self, blob_id: BlobId, start: int, stop: int, *, folder: Path, unpack_into: Callable[[IO[bytes]], object]
    ) -> bytes:
        """folder: where the file is made, when it is not among the last. Raises as unpack_into, and TryAgainLater."""
        with self._guard:
            file = self._files.get(blob_id)
            if file is None:
                file = self._files[blob_id] = _unpacked(folder, unpack_into)
            self._files.move_to_end(blob_id)
            while len(self._files) > MAX_FILES:
                self._files.popitem(last=False)[1].close()
            return _piece(file, start, stop)

    def read_again(self, blob_id: BlobId, start: int, stop: int) -> bytes | None:
        """None where it is not among the last."""
        with self._guard:
            file = self._files.get(blob_id)
            if file is None:
                return None
            self._files.move_to_end(blob_id)
            return _piece(file, start, stop)

    def close(self) -> None:
        with self._guard:
            while self._files:
                self._files.popitem()[1].close()


def mapped(size_bytes: int, read_range: Callable[[int, int], bytes]) -> mmap:
    """The whole of a message whose pieces read_range gives, in a file of its own that nobody can cut short. Raises as
    read_range, and TryAgainLater."""
    try:
        with TemporaryFile(prefix="mailstack-", buffering=0) as file:
            for start in range(0, size_bytes, PIECE_BYTES):
                file.write(read_range(start, min(start + PIECE_BYTES, size_bytes)))
            return mmap(file.fileno(), size_bytes, access=ACCESS_READ)
    except OSError as fault:
        raise TryAgainLater(f"a large message: {fault.strerror}") from fault


def _piece(file: IO[bytes], start: int, stop: int) -> bytes:
    return os.pread(file.fileno(), max(0, stop - start), start)


def _unpacked(folder: Path, unpack_into: Callable[[IO[bytes]], object]) -> IO[bytes]:
    try:
        file = TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 - it stays open while it is among the last
    except OSError as fault:
        raise TryAgainLater(f"{folder}: {fault.strerror}") from fault
    try:
        unpack_into(file)
    except BaseException:  # nobody else knows of the file yet
        file.close()
        raise
    return file
