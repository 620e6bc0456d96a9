"""Conversations as text: `C: ` what the client sends, `S: ` what the server must answer, to the byte.

`S: 250 ...` compares up to the dots, `S: 250-...` stands for all lines of a reply but the last, `C| ` sends Python
escapes and no line end, `S: (closed)` waits for the end of the connection. The trace at the end of a refusal is
compared where the text has one.
"""

import asyncio
import re
import ssl
from codecs import decode

from tests.support.running import DEADLINE_S

_TRACE = re.compile(r" \(trace [0-9a-f]{16}\)$")


class Client:
    """One connection to a server under test."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def play(self, text: str) -> None:
        for line in (line.strip() for line in text.strip().splitlines()):
            if line.startswith("C: "):
                await self.send(line[3:].encode() + b"\r\n")
            elif line == "C:":
                await self.send(b"\r\n")
            elif line.startswith("C| "):
                await self.send(unescape(line[3:]))
            elif line == "S: (closed)":
                await self.expect_end()
            elif line:
                await self._expect(line.removeprefix("S: "))

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        async with asyncio.timeout(DEADLINE_S):
            await self.writer.drain()

    async def line(self) -> str:
        async with asyncio.timeout(DEADLINE_S):
            line = await self.reader.readuntil(b"\r\n")
        return line[:-2].decode()

    async def reply(self) -> list[str]:
        """All lines of one reply."""
        lines = [await self.line()]
        while lines[-1][3:4] == "-":
            lines.append(await self.line())
        return lines

    async def expect_end(self) -> None:
        async with asyncio.timeout(DEADLINE_S):
            assert await self.reader.read() == b""

    async def close(self) -> None:
        self.writer.close()
        try:
            async with asyncio.timeout(DEADLINE_S):
                await self.writer.wait_closed()
        except OSError:  # the server was first
            pass

    async def _expect(self, wanted: str) -> None:
        got = await self.line()
        if wanted.endswith("-..."):
            while got[3:4] == "-":
                assert got.startswith(wanted[:-3])
                got = await self.line()
            # The last line of the reply is the next line of the text.
            self._put_back(got)
        elif wanted.endswith("..."):
            assert got.startswith(wanted[:-3]), f"{got!r} instead of {wanted!r}"
        else:
            assert (got if _TRACE.search(wanted) else untraced(got)) == wanted

    def _put_back(self, line: str) -> None:
        self.reader._buffer[:0] = line.encode() + b"\r\n"  # type: ignore[attr-defined]  # no public way


def untraced(reply: str) -> str:
    return _TRACE.sub("", reply)


def unescape(text: str) -> bytes:
    return decode(text, "unicode_escape").encode("latin-1")


async def connect(
    host: str,
    port: int,
    *,
    tls: ssl.SSLContext | None = None,
    server_hostname: str | None = None,
    source: str | None = None,
) -> Client:
    """source: the address to connect from, None for whichever."""
    local = None if source is None else (source, 0)
    async with asyncio.timeout(DEADLINE_S):
        streams = await asyncio.open_connection(host, port, ssl=tls, server_hostname=server_hostname, local_addr=local)
        return Client(*streams)
