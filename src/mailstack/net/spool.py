"""Octets of known or unknown number on their way in: small ones in memory, large ones in a file that is then mapped.

The file has no name: it is gone with the process, whatever happens.
"""

import mmap
import tempfile
from types import TracebackType
from typing import IO

from mailstack.model.errors import TryAgainLater
from mailstack.model.message import RawMessage

IN_MEMORY_OCTETS = 256 * 1024


class Spool:
    """A context manager; what octets() gave must not be used after its end."""

    def __init__(self) -> None:
        self._memory = bytearray()
        self._file: IO[bytes] | None = None
        self._mapped: mmap.mmap | None = None
        self.size_octets = 0

    def __enter__(self) -> "Spool":
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def write(self, data: bytes) -> None:
        """Raises TryAgainLater when the disk is full."""
        self.size_octets += len(data)
        if self._file is None and self.size_octets <= IN_MEMORY_OCTETS:
            self._memory += data
            return
        try:
            self._on_disk().write(data)
        except OSError as fault:
            raise TryAgainLater(f"spool: {fault}") from fault

    def octets(self) -> RawMessage:
        """All that was written. Nothing is written after."""
        if self._file is None:
            return bytes(self._memory)
        try:
            self._file.flush()
            self._mapped = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
        except OSError as fault:
            raise TryAgainLater(f"spool: {fault}") from fault
        return self._mapped

    def close(self) -> None:
        """May be repeated."""
        self._memory = bytearray()
        if self._mapped is not None:
            self._mapped.close()
            self._mapped = None
        if self._file is not None:
            self._file.close()
            self._file = None

    def _on_disk(self) -> IO[bytes]:
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="mailstack-spool-")  # noqa: SIM115 - closed by close()
            self._file.write(self._memory)
            self._memory = bytearray()
        return self._file
