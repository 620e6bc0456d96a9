"""The open connections of one service in one worker, so that it can end politely."""

import asyncio
from typing import Protocol

from mailstack.model.metrics import CONNECTIONS, CONNECTIONS_OPEN
from mailstack.ports.metrics import UNCOUNTED, Metrics


class Connection(Protocol):
    def shut_down(self) -> None:
        """Finish the command in hand, say goodbye in the protocol's words, close. Runs on the loop, may be repeated."""
        ...

    def abort(self) -> None:
        """Close now."""
        ...


class Connections:
    """What a server adds its connections to and removes them from. service: as they are counted."""

    def __init__(self, service: str = "", metrics: Metrics = UNCOUNTED) -> None:
        self._service = service
        self._metrics = metrics
        self._open: set[Connection] = set()
        self._empty = asyncio.Event()
        self._empty.set()
        self.is_closing = False

    def __len__(self) -> int:
        return len(self._open)

    def add(self, connection: Connection) -> None:
        self._open.add(connection)
        self._empty.clear()
        self._metrics.add(CONNECTIONS, self._service)
        self._metrics.add(CONNECTIONS_OPEN, self._service)
        if self.is_closing:
            connection.shut_down()

    def remove(self, connection: Connection) -> None:
        if connection not in self._open:
            return
        self._open.remove(connection)
        self._metrics.add(CONNECTIONS_OPEN, self._service, by=-1)
        if not self._open:
            self._empty.set()

    def replace(self, before: Connection, after: Connection) -> None:
        """It speaks another protocol from here on, and is still the same."""
        self._open.remove(before)
        self._open.add(after)
        if self.is_closing:
            after.shut_down()

    async def drain(self, *, grace_s: float) -> int:
        """Asks all to end, waits, aborts the rest; returns how many had to be aborted."""
        self.is_closing = True
        for connection in tuple(self._open):
            connection.shut_down()
        try:
            async with asyncio.timeout(grace_s):
                await self._empty.wait()
        except TimeoutError:
            pass
        left = tuple(self._open)
        for connection in left:
            connection.abort()
        return len(left)
