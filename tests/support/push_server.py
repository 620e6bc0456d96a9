"""A push service on loopback: it notes what it is given, and answers as it is told to."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

CREATED = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """headers: by name in lower case."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


@dataclass
class PushServer:
    """answers: to the next requests, CREATED after them. stays: it says nothing, and does not close."""

    port: int = 0
    answers: list[bytes] = field(default_factory=list)
    pushed: list[Pushed] = field(default_factory=list)
    named: list[str | None] = field(default_factory=list)
    stays: bool = False
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _serving: "set[asyncio.Task[None]]" = field(default_factory=set)

    def url(self, path: str = "/push", *, host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    def of_type(self, type_: str) -> list[Any]:
        """What was pushed in plain text, of one type."""
        found = [each.json for each in self.pushed if each.headers.get("content-encoding") is None]
        return [each for each in found if each["@type"] == type_]

    async def until(self, condition: Callable[[], bool], *, timeout_s: float = 60.0) -> None:
        """Looked at whenever something was pushed."""
        async with asyncio.timeout(timeout_s):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def has(self, count: int) -> Sequence[Pushed]:
        await self.until(lambda: len(self.pushed) >= count)
        return self.pushed

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._serving.add(asyncio.create_task(self._serve(reader, writer)))

    async def end(self) -> None:
        """Once its clients have closed."""
        await asyncio.gather(*self._serving)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            line, *fields = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in fields)}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            self.pushed.append(Pushed(line=line, headers=headers, body=body))
            self._changed.set()
            if self.stays:
                await reader.read()
            writer.write(self.answers.pop(0) if self.answers else CREATED)
            await writer.drain()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def answer(status: int, *fields: str) -> bytes:
    return "\r\n".join((f"HTTP/1.1 {status} X", "Content-Length: 0", *fields, "", "")).encode()


@contextlib.asynccontextmanager
async def push_server(tls: ssl.SSLContext | None = None) -> AsyncIterator[PushServer]:
    found = PushServer()
    if tls is not None:
        tls.sni_callback = lambda _socket, name, _context: found.named.append(name)
    server = await asyncio.start_server(found.accept, "127.0.0.1", 0, ssl=tls)
    async with server:
        found.port = server.sockets[0].getsockname()[1]
        yield found
        await found.end()
