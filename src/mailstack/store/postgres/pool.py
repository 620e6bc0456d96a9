"""The connections of one process: opened when they are wanted, closed when they have long been idle, never more than a
bound."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from mailstack.model.errors import TryAgainLater
from mailstack.store.postgres.link import Link

MOST = 8
"""Of one process: a server's own bound is a hundred by default, and many nodes share it."""
WAIT_S = 20.0
IDLE_S = 30.0
MOST_WAITING = 2_000


class Pool:
    """Used on one loop. The link that was used last is used first, so that the others grow idle."""

    def __init__(self, open_one: Callable[[], Awaitable[Link]], *, most: int = MOST) -> None:
        self._open_one = open_one
        self._most = most
        self._count = 0
        self._idle: list[Link] = []
        self._waiting: deque[asyncio.Future[Link | None]] = deque()
        self._tidying: asyncio.TimerHandle | None = None
        self._is_closed = False

    @property
    def count(self) -> int:
        """Of links that are open or about to be."""
        return self._count

    async def take(self) -> Link:
        """To be given back. Raises TryAgainLater when all stay taken, and what opening one raises."""
        while self._idle:
            link = self._idle.pop()
            if link.is_open:
                return link
            self._drop(link)
        if self._count < self._most:
            self._count += 1
            return await self._opened()
        handed = await self._handed_over()
        return handed if handed is not None else await self._opened()

    def give_back(self, link: Link) -> None:
        if not link.is_open or link.is_old:
            self._drop(link)
            return
        self._pass_on(link)

    async def close(self) -> None:
        """When nothing is at work any more."""
        self._is_closed = True
        if self._tidying is not None:
            self._tidying.cancel()
        while self._idle:
            self._drop(self._idle.pop())

    async def _opened(self) -> Link:
        """In a place that is counted already."""
        try:
            return await self._open_one()
        except BaseException:  # its place is free again
            self._pass_on(None)
            raise

    async def _handed_over(self) -> Link | None:
        """None: a place for a new one."""
        if len(self._waiting) >= MOST_WAITING:
            raise TryAgainLater("too much waits for the database")
        turn: asyncio.Future[Link | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout(WAIT_S):
                return await turn
        except BaseException as fault:  # what was handed over meanwhile goes on to the next, also when time was just up
            if turn.done() and not turn.cancelled():
                self._pass_on(turn.result())
            if isinstance(fault, TimeoutError):
                raise TryAgainLater(f"no connection to the database was free within {WAIT_S:g} s") from None
            raise

    def _pass_on(self, link: Link | None) -> None:
        """To who waits the longest. None: a place for a new one, which stays counted until nobody wants it."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(link)
                return
        if link is None:
            self._count -= 1
            return
        if self._is_closed:
            self._drop(link)
            return
        loop = asyncio.get_running_loop()
        link.idle_since_s = loop.time()
        self._idle.append(link)
        if self._tidying is None:
            self._tidying = loop.call_later(IDLE_S, self._tidy)

    def _drop(self, link: Link) -> None:
        link.close()
        self._pass_on(None)

    def _tidy(self) -> None:
        self._tidying = None
        loop = asyncio.get_running_loop()
        while self._idle and self._idle[0].idle_since_s <= loop.time() - IDLE_S:
            self._drop(self._idle.pop(0))
        if self._idle:
            self._tidying = loop.call_later(IDLE_S, self._tidy)
