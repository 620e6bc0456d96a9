"""Octets of known or unknown number on their way in: small ones in memory, large ones in a file that is then mapped.

The file has no name: it is gone with the process, whatever happens.
"""

import mmap
import os
import tempfile
from dataclasses import dataclass
from types import TracebackType
from typing import IO

from mailstack.model.errors import TryAgainLater
from mailstack.model.message import RawMessage

IN_MEMORY_OCTETS = 256 * 1024
MAPPED_OCTETS = 64 * 1024
"""What is smaller is read from the file: a map costs a descriptor and a page at least."""


@dataclass(slots=True)
class _Span:
    """Where one message lies."""

    start: int
    size: int = 0


class Spool:
    """A context manager; what octets() and messages() gave must not be used after its end. One file for them all."""

    def __init__(self) -> None:
        self._memory = bytearray()
        self._file: IO[bytes] | None = None
        self._maps: list[mmap.mmap] = []
        self._spans = [_Span(0)]
        self.size_octets = 0

    def __enter__(self) -> "Spool":
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @property
    def message_octets(self) -> int:
        """Of the message that is being written."""
        return self._spans[-1].size

    def next_message(self) -> None:
        """What is written from now on is another one."""
        self._spans.append(_Span(_page_aligned(self._end()) if self._file is not None else self._end()))

    def write(self, data: bytes) -> None:
        """Raises TryAgainLater when the disk is full."""
        self.size_octets += len(data)
        try:
            if self._file is not None or self.size_octets > IN_MEMORY_OCTETS:
                _write_all(self._on_disk(), data, self._end())
            else:
                self._memory += data
        except OSError as fault:
            raise TryAgainLater(f"spool: {fault}") from fault
        self._spans[-1].size += len(data)

    def octets(self) -> RawMessage:
        """The only message. Nothing is written after."""
        return self.messages()[0]

    def messages(self) -> list[RawMessage]:
        """All that were written, in order. Nothing is written after."""
        try:
            return [self._message(span) for span in self._spans]
        except OSError as fault:
            raise TryAgainLater(f"spool: {fault}") from fault

    def close(self) -> None:
        """May be repeated."""
        self._memory = bytearray()
        for mapped in self._maps:
            mapped.close()
        self._maps = []
        if self._file is not None:
            self._file.close()
            self._file = None

    def _end(self) -> int:
        return self._spans[-1].start + self._spans[-1].size

    def _message(self, span: _Span) -> RawMessage:
        if self._file is None:
            return bytes(self._memory[span.start : span.start + span.size])
        if span.size <= MAPPED_OCTETS or span.start % mmap.ALLOCATIONGRANULARITY:
            return os.pread(self._file.fileno(), span.size, span.start)
        mapped = mmap.mmap(self._file.fileno(), span.size, access=mmap.ACCESS_READ, offset=span.start)
        self._maps.append(mapped)
        return mapped

    def _on_disk(self) -> IO[bytes]:
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="mailstack-spool-", buffering=0)  # noqa: SIM115 - closed by close()
            span = self._spans[-1]
            _write_all(self._file, self._memory[: span.start], 0)
            begun = self._memory[span.start :]
            span.start = _page_aligned(span.start)
            _write_all(self._file, begun, span.start)
            self._memory = bytearray()
        return self._file


def _page_aligned(offset: int) -> int:
    """Only from there on can a file be mapped."""
    return -(-offset // mmap.ALLOCATIONGRANULARITY) * mmap.ALLOCATIONGRANULARITY


def _write_all(file: IO[bytes], data: bytes | bytearray, offset: int) -> None:
    left = memoryview(data)
    while left:
        written = os.pwrite(file.fileno(), left, offset)
        left, offset = left[written:], offset + written
