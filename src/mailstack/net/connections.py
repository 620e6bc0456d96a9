"""The open connections of one worker, so that it can end politely."""

import asyncio
from typing import Protocol


class Connection(Protocol):
    def shut_down(self) -> None:
        """Finish the command in hand, say goodbye in the protocol's words, close. Runs on the loop, may be repeated."""
        ...

    def abort(self) -> None:
        """Close now."""
        ...


class Connections:
    """What every server adds its connections to and removes them from."""

    def __init__(self) -> None:
        self._open: set[Connection] = set()
        self._empty = asyncio.Event()
        self._empty.set()
        self.is_closing = False

    def __len__(self) -> int:
        return len(self._open)

    def add(self, connection: Connection) -> None:
        self._open.add(connection)
        self._empty.clear()
        if self.is_closing:
            connection.shut_down()

    def remove(self, connection: Connection) -> None:
        self._open.discard(connection)
        if not self._open:
            self._empty.set()

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
