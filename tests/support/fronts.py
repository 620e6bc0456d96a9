"""What stands between a node and its servers: TCP on loopback that passes all (late), nothing, or a refusal."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum

CHUNK_BYTES = 1 << 16
DRAIN_S = 5.0
LATE_S = 2.0
BUSY = b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Mood(Enum):
    PASSING = "as if it were not there"
    SILENT = "as a cable that is unplugged: what is sent waits, and so do new connections"
    SLOW = "each answer comes 2 s late"
    BUSY = "every HTTP request is answered with 503"


class Front:
    def __init__(self, loop: asyncio.AbstractEventLoop, upstream: int) -> None:
        self._loop = loop
        self._upstream = upstream
        self._mood = Mood.PASSING
        self._passing = asyncio.Event()
        self._passing.set()
        self.refused = 0
        """Requests answered with 503."""
        self.waiting = 0
        """New connections that a silence holds up."""

    def become(self, mood: Mood) -> None:
        asyncio.run_coroutine_threadsafe(self._become(mood), self._loop).result()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.CancelledError):  # asyncio's streams take it for a fault
            await self._serve(reader, writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._wait()
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._upstream)
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._carry(reader, up_writer, refuse=writer))
                    group.create_task(self._carry(up_reader, writer, refuse=None))
            finally:
                up_writer.transport.abort()
        except* OSError:
            pass
        finally:
            writer.transport.abort()

    async def _become(self, mood: Mood) -> None:
        self._mood = mood
        self._passing.clear() if mood is Mood.SILENT else self._passing.set()

    async def _wait(self) -> None:
        self.waiting += 1
        try:
            await self._passing.wait()
        finally:
            self.waiting -= 1

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, refuse: asyncio.StreamWriter | None
    ) -> None:
        while octets := await reader.read(CHUNK_BYTES):
            await self._passing.wait()
            if self._mood is Mood.BUSY and refuse is not None:
                await self._refuse(reader, refuse)
                break
            if self._mood is Mood.SLOW and refuse is None:
                await asyncio.sleep(LATE_S)
            writer.write(octets)
            await writer.drain()
        raise ConnectionResetError  # the other direction ends, too

    async def _refuse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.refused += 1
        writer.write(BUSY)
        await writer.drain()
        writer.write_eof()
        with suppress(TimeoutError):  # or the rest of the request would reset the connection before its answer is read
            async with asyncio.timeout(DRAIN_S):
                while await reader.read(CHUNK_BYTES):
                    pass


class Fronts:
    """All on one loop, in a thread of their own."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._servers: list[asyncio.Server] = []

    def open(self, listener: socket.socket, upstream: int) -> Front:
        """upstream: a port of this machine's own loopback."""
        front = Front(self._loop, upstream)
        asyncio.run_coroutine_threadsafe(self._open(listener, front), self._loop).result()
        return front

    async def _open(self, listener: socket.socket, front: Front) -> None:
        self._servers.append(await asyncio.start_server(front.serve, sock=listener))

    async def close(self) -> None:
        for server in self._servers:
            server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        for server in self._servers:
            await server.wait_closed()
        # What was aborted is closed at the next turn of the loop.
        await asyncio.sleep(0)
        await asyncio.sleep(0)


@contextmanager
def running_fronts() -> Iterator[Fronts]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="fronts")
    thread.start()
    fronts = Fronts(loop)
    try:
        yield fronts
    finally:
        asyncio.run_coroutine_threadsafe(fronts.close(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
