"""Those who wait for a connection to one destination: whose mail goes first. Pure but for the futures."""

import asyncio
from collections import deque
from typing import Final

from mailstack.model.delivery import Priority
from mailstack.model.queue_share import URGENT_FIRST

LONGEST_EACH: Final = 8
"""One turn of so many is for whoever has waited longest, so that nobody waits for ever."""

Turn = asyncio.Future[None]


class Line:
    def __init__(self) -> None:
        self._waiting: dict[Priority, deque[tuple[int, Turn]]] = {priority: deque() for priority in URGENT_FIRST}
        self._came = 0
        self._turns = 0

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def join(self, priority: Priority) -> Turn:
        """Its result is set by whoever takes it from `next`."""
        self._came += 1
        turn: Turn = asyncio.get_running_loop().create_future()
        self._waiting[priority].append((self._came, turn))
        return turn

    def next(self) -> Turn:
        """Only while there is somebody; who gave up meanwhile is given too."""
        self._turns += 1
        waiting = [line for line in self._waiting.values() if line]
        chosen = waiting[0] if self._turns % LONGEST_EACH else min(waiting, key=lambda line: line[0][0])
        return chosen.popleft()[1]
