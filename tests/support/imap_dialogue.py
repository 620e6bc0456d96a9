"""An IMAP client that follows a script of C: and S: lines; `…` in an S: line stands for anything, `S: ...` for any
lines."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support.running import DEADLINE_S


class ImapClient:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def talk(self, script: str) -> None:
        """Lines begin with `C: ` (sent with CRLF) or `S: ` (the next line the server must say)."""
        skips = False
        for line in script.strip().splitlines():
            side, text = line.strip()[:3], line.strip()[3:]
            if side == "C: " or line.strip() == "C:":
                await self.send(text.encode() + b"\r\n")
            elif text == "...":
                skips = True
            elif skips:
                await self._skip_to(text)
                skips = False
            else:
                await self.expect(text)

    async def send(self, octets: bytes) -> None:
        self._writer.write(octets)
        await self._writer.drain()

    async def line(self) -> str:
        """Without CRLF; "" once the server has closed."""
        async with asyncio.timeout(DEADLINE_S):
            return (await self._reader.readline()).decode().removesuffix("\r\n")

    async def octets(self, count: int) -> bytes:
        """Of a literal whose head has been read."""
        async with asyncio.timeout(DEADLINE_S):
            return await self._reader.readexactly(count)

    async def count_to(self, tag: str) -> int:
        """How many untagged responses come before this tag's OK; none is kept."""
        told, last = 0, b"\n"
        async with asyncio.timeout(6 * DEADLINE_S):
            while True:
                data = last + await self._reader.read(1 << 16)
                told += data.count(b"\n* ")
                last = data[data.rfind(b"\n", 0, -1) :]
                if last.startswith(b"\n%b OK" % tag.encode()) and last.endswith(b"\r\n"):
                    return told
                # What has been counted begins no response once more.
                told -= last.startswith(b"\n* ")

    async def expect(self, pattern: str) -> None:
        said = await self.line()
        assert _fits(said, pattern), f"expected {pattern!r}, the server said {said!r}"

    async def _skip_to(self, pattern: str) -> None:
        while not _fits(said := await self.line(), pattern):
            assert said, f"expected {pattern!r}, the server closed"

    async def expect_end(self) -> None:
        async with asyncio.timeout(DEADLINE_S):
            assert await self._reader.read() == b""

    async def login(self, account: str = "u0") -> None:
        await self.talk(f"C: login LOGIN {account} pw\nS: login OK …")

    async def append(self, message: bytes, *, mailbox: str = "INBOX", flags: str = "", received: str = "") -> None:
        """received: date-time of RFC 9051 §9 without its quotes, "" for now."""
        date = f' "{received}"' if received else ""
        await self.send(f"append APPEND {mailbox} ({flags}){date} {{{len(message)}+}}\r\n".encode())
        await self.send(message + b"\r\n")
        while not (said := await self.line()).startswith("append "):
            pass
        assert said.startswith("append OK"), said

    async def start_tls(self, context: ssl.SSLContext) -> None:
        await self._writer.start_tls(context)

    def close(self) -> None:
        self._writer.close()


@asynccontextmanager
async def imap_client(port: int) -> AsyncIterator[ImapClient]:
    """Past the greeting."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    client = ImapClient(reader, writer)
    try:
        await client.expect("* OK [CAPABILITY …")
        yield client
    finally:
        client.close()
        with_suppressed = asyncio.gather(writer.wait_closed(), return_exceptions=True)
        await with_suppressed


def _fits(said: str, pattern: str) -> bool:
    expression = ".*".join(re.escape(piece) for piece in pattern.strip().split("…"))
    return re.fullmatch(expression, said.strip()) is not None
