"""What is written to a node's log from now on, as it comes."""

from collections.abc import Iterator
from pathlib import Path

from mailstack.store.event_log.parts import Part, all_parts, size_of


class Follower:
    """Begins behind what is there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read = {part.path: size_of(part) for part in self._segments()}

    def lines(self) -> list[str]:
        """Whole ones that came since it was asked last, those of each process in order. What a full disk tore is
        readable, and no event."""
        return [line for part in self._segments() for line in self._lines_of(part.path)]

    def _segments(self) -> list[Part]:
        return [part for part in all_parts(self._folder) if part.is_segment]

    def _lines_of(self, path: Path) -> Iterator[str]:
        try:
            with path.open("rb") as file:
                file.seek(self._read.get(path, 0))
                text = file.read()
        except FileNotFoundError:  # an hour ago, and made Parquet of just now
            return
        end = text.rfind(b"\n") + 1
        self._read[path] = self._read.get(path, 0) + end
        yield from text[:end].decode("utf-8", "replace").split("\n")[:-1]
