"""A TCP proxy on loopback that loses what it is told to lose: a network at its worst, at the worst moment."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from enum import Enum
from urllib.parse import urlsplit, urlunsplit

CHUNK_BYTES = 1 << 16


class Loss(Enum):
    REQUEST = "what the client sends never arrives"
    ANSWER = "what the client sends arrives, and no answer comes back"
    LATE = "what the client sends arrives once release is called, when the client has long given up"


class CuttingProxy:
    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._server: asyncio.Server | None = None
        self._pairs: set[_Pair] = set()
        self._loss: Loss | None = None
        self._requests_before = 0
        self._held: list[tuple[_Pair, bytes]] = []
        self.requests = 0
        """That came: what is sent at once is one, as long as it is small."""
        self.delay_s = 0.0
        """Before each answer."""

    @property
    def port(self) -> int:
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def lose(self, loss: Loss, *, after: int = 0) -> None:
        """Of the requests of all connections, the one behind `after` more. Its connection ends."""
        self._loss, self._requests_before = loss, after

    @property
    def open_connections(self) -> int:
        return len(self._pairs)

    @property
    def has_lost(self) -> bool:
        return self._loss is None

    def cut(self) -> None:
        """All connections, now."""
        for pair in list(self._pairs):
            pair.end()

    async def release(self) -> None:
        """What was held goes on its way; returns when the server has ended that connection or answered."""
        while self._held:
            pair, octets = self._held.pop()
            pair.up.write(octets)
            with suppress(ConnectionError):
                await pair.up.drain()
            await pair.answered.wait()
            pair.end()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        while self._pairs:
            await asyncio.wait([pair.task for pair in self._pairs])
        await self._server.wait_closed()

    async def _serve(self, down_reader: asyncio.StreamReader, down: asyncio.StreamWriter) -> None:
        try:
            up_reader, up = await asyncio.open_connection(*self._target)
        except OSError:
            down.transport.abort()
            return
        task = asyncio.current_task()
        assert task is not None
        pair = _Pair(down=down, up=up, task=task)
        self._pairs.add(pair)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._carry_requests(down_reader, pair))
                group.create_task(self._carry_answers(up_reader, pair))
        except* OSError:
            pass
        finally:
            pair.answered.set()
            pair.end()
            self._pairs.discard(pair)

    async def _carry_requests(self, reader: asyncio.StreamReader, pair: "_Pair") -> None:
        while octets := await reader.read(CHUNK_BYTES):
            self.requests += 1
            loss = self._next_loss()
            if loss is Loss.REQUEST:
                pair.end()
                return
            if loss is Loss.LATE:
                self._held.append((pair, octets))
                pair.answered.clear()
                pair.down.transport.abort()
                return
            if loss is Loss.ANSWER:
                pair.loses_answers = True
            pair.up.write(octets)
            await pair.up.drain()
        if not self._held:
            pair.end()

    async def _carry_answers(self, reader: asyncio.StreamReader, pair: "_Pair") -> None:
        while octets := await reader.read(CHUNK_BYTES):
            pair.answered.set()
            if self.delay_s:
                with suppress(TimeoutError):
                    await asyncio.wait_for(pair.ended.wait(), self.delay_s)
            if pair.loses_answers:
                pair.end()
                return
            pair.down.write(octets)
            with suppress(ConnectionError):
                await pair.down.drain()
        pair.end()

    def _next_loss(self) -> Loss | None:
        if self._loss is None:
            return None
        if self._requests_before:
            self._requests_before -= 1
            return None
        loss, self._loss = self._loss, None
        return loss


class _Pair:
    """A client's connection, and the one to the server that goes with it."""

    def __init__(self, *, down: asyncio.StreamWriter, up: asyncio.StreamWriter, task: "asyncio.Task[None]") -> None:
        self.down = down
        self.up = up
        self.task = task
        self.answered = asyncio.Event()
        self.ended = asyncio.Event()
        self.loses_answers = False

    def end(self) -> None:
        self.ended.set()
        self.down.transport.abort()
        self.up.transport.abort()


@asynccontextmanager
async def cutting_proxy(url: str) -> AsyncIterator[tuple[CuttingProxy, str]]:
    """With the URL that leads through it."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    proxy = CuttingProxy(parts.hostname, parts.port)
    await proxy.start()
    try:
        yield proxy, urlunsplit(parts._replace(netloc=f"{parts.username}@127.0.0.1:{proxy.port}"))
    finally:
        await proxy.close()
