"""Whoever tries out recipients waits longer for each further answer; a few at a time, the others are sent away at once.

Nobody else waits: a connection that is held up costs its memory and a timer.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from mailstack.servers.smtp.limits import Limits
from mailstack.servers.smtp.replies import TOO_MANY_ERRORS, Refused


class Tarpit:
    """One for each generation."""

    def __init__(self) -> None:
        self._held = 0

    async def hold(self, unknown: int, limits: Limits, leaving: asyncio.Event) -> None:
        """unknown: recipients so far. leaving: ends the wait. Raises Refused where too many are held up already."""
        seconds = delay_s(unknown, limits)
        if not seconds:
            return
        with self._place(limits.held_up):
            try:
                async with asyncio.timeout(seconds):
                    await leaving.wait()
            except TimeoutError:
                pass

    @contextmanager
    def _place(self, most: int) -> Iterator[None]:
        if self._held >= most:
            raise Refused(TOO_MANY_ERRORS)
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1


def delay_s(unknown: int, limits: Limits) -> float:
    """Nothing for the first few, which may be slips; then twice as long each time."""
    over = unknown - limits.slips
    return min(limits.first_delay_s * (1 << min(over - 1, 16)), limits.longest_delay_s) if over > 0 else 0.0
