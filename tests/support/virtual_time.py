"""An event loop whose time passes at once when nothing is left to do: waits of any length, exact and in no time.

For what waits on timers alone; with sockets, time would run past them.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import TypeVar

Result = TypeVar("Result")


class _Skipping(selectors.DefaultSelector):
    """Never waits; says how long it would have."""

    skipped_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise AssertionError("nothing will ever happen: no timer is left to wait for")
        self.skipped_s += max(timeout, 0)
        return super().select(0)


class _VirtualTimeLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._skipping = _Skipping()
        super().__init__(self._skipping)

    def time(self) -> float:
        return self._skipping.skipped_s


def run_in_virtual_time(scene: Coroutine[None, None, Result]) -> Result:
    with asyncio.Runner(loop_factory=_VirtualTimeLoop) as runner:
        return runner.run(scene)
