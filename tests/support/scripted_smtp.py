"""SMTP servers that say exactly what a test tells them, right or wrong, on loopback."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

Conversation = Callable[["Peer"], Awaitable[None]]


@dataclass
class Peer:
    """One connection, from the server's side. heard: every line the client sent, without CRLF."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    heard: list[bytes]

    async def say(self, text: str | bytes) -> None:
        data = text if isinstance(text, bytes) else text.replace("\n", "\r\n").encode()
        self.writer.write(data)
        await self.writer.drain()

    async def hear(self) -> bytes:
        line = await self.reader.readuntil(b"\r\n")
        self.heard.append(line[:-2])
        return line[:-2]

    async def hear_out(self) -> bytes:
        """What else the client says, up to its good-bye, which it would wait for an answer to."""
        data = b""
        while not data.endswith(b"QUIT\r\n") and (more := await self.reader.read(1 << 16)):
            data += more
        return data

    async def hear_content(self) -> bytes:
        """Up to the closing dot, dots still doubled."""
        data = await self.reader.readuntil(b"\r\n.\r\n")
        self.heard.append(b"(content)")
        return data

    async def hear_chunk(self) -> bytes:
        """One BDAT and its octets."""
        words = (await self.hear()).split()
        assert words[0] == b"BDAT"
        return await self.reader.readexactly(int(words[1]))

    async def hello(self, *extensions: str, greeting: str = "220 mx.test ESMTP\n") -> None:
        await self.say(greeting)
        await self.ehlo(*extensions)

    async def ehlo(self, *extensions: str) -> None:
        await self.hear()
        lines = ["mx.test", *extensions]
        last = len(lines) - 1
        await self.say("".join(f"250{' ' if at == last else '-'}{line}\n" for at, line in enumerate(lines)))

    async def start_tls(self, context: ssl.SSLContext) -> None:
        await self.hear()
        await self.say("220 go\n")
        await self.writer.start_tls(context)

    async def exchange(self, *replies: str) -> None:
        """Hears one line and gives one reply, for each."""
        for reply in replies:
            await self.hear()
            await self.say(reply + "\n")

    async def take_mail(self, *rcpt_replies: str, final: str = "250 2.0.0 ok") -> bytes:
        await self.exchange("250 2.1.0 ok", *(rcpt_replies or ("250 2.1.5 ok",)), "354 go")
        content = await self.hear_content()
        await self.say(final + "\n")
        await self.exchange("221 bye")
        return content


@dataclass
class ScriptedServer:
    """connections: what was heard on each; faults: what went wrong on the server's side, for the test to look at."""

    port: int = 0
    connections: list[list[bytes]] = field(default_factory=list)
    faults: list[BaseException] = field(default_factory=list)

    @property
    def heard(self) -> list[bytes]:
        return self.connections[-1]


@contextlib.asynccontextmanager
async def scripted_server(
    *conversations: Conversation, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1", path: str = ""
) -> AsyncIterator[ScriptedServer]:
    """The n-th connection gets the n-th conversation, later ones the last. path: of a unix socket instead."""
    running = ScriptedServer()
    tasks: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        heard: list[bytes] = []
        running.connections.append(heard)
        conversation = conversations[min(len(running.connections), len(conversations)) - 1]
        try:
            await conversation(Peer(reader, writer, heard))
            writer.close()
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError) as fault:
            running.faults.append(fault)
        except asyncio.CancelledError:
            pass  # the test is over; streams of 3.11 log a cancelled connection as an error
        finally:
            # Not waited for: after a handshake that failed, 3.11 never says that the connection is closed.
            if not writer.is_closing():
                writer.transport.abort()
            tasks.discard(task)

    if path:
        server = await asyncio.start_unix_server(talk, path, limit=1 << 22)
    else:
        server = await asyncio.start_server(talk, host, 0, ssl=tls, limit=1 << 22)
        running.port = server.sockets[0].getsockname()[1]
    try:
        yield running
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
