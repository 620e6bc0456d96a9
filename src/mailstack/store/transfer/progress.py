"""How much of a copy is done, within an account too, in one measure for many small messages and a few large ones."""

from collections.abc import Callable

BYTES_A_MESSAGE = 20_000
"""So many bytes more cost as much as one message more: measured, from 3 KB to 30 MB."""

Progress = Callable[[str, int, int], None]
"""Told what is done: who is in hand, how much of it all, and how much there is."""


def effort(messages: int, size_bytes: int) -> int:
    return messages + size_bytes // BYTES_A_MESSAGE


class Gauge:
    """total: in efforts. What has no messages, the system, is one of them."""

    def __init__(self, progress: Progress, *, total: int) -> None:
        self._progress = progress
        self._total = total + 1
        self._done = 0

    def begin(self, whose: str, whole: int = 0) -> "Part":
        self.add(whose, 0)
        return Part(self, whose, whole)

    def add(self, whose: str, done: int) -> None:
        self._done += done
        self._progress(whose, self._done, self._total)


class Part:
    """Of one account: every message passes twice, when it is carried and when it is compared."""

    def __init__(self, gauge: Gauge, whose: str, whole: int) -> None:
        self._gauge = gauge
        self._whose = whose
        self._whole = whole
        self._told = 0
        self._messages = self._bytes = 0

    def passed(self, messages: int, size_bytes: int) -> None:
        self._messages += messages
        self._bytes += size_bytes
        self._tell(min(effort(self._messages, self._bytes) // 2, self._whole))

    def end(self) -> None:
        """Messages that share their bytes passed once for all of them, and the rest is rows."""
        self._tell(self._whole)

    def _tell(self, done: int) -> None:
        self._gauge.add(self._whose, done - self._told)
        self._told = done
