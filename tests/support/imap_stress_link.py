"""The line between a client of the stress and the server: whole responses out of octets, deflated on demand (RFC 4978).
A wait for a response may be cut short at any time, and nothing of it is lost."""

import asyncio
import re
import ssl
import zlib

_LITERAL = re.compile(rb"\{(\d+)\}\Z")
_READ_SIZE = 65_536
_RAW_DEFLATE = -15


class StressClosed(Exception):
    """The server is gone."""


class StressLink:
    def __init__(self) -> None:
        self._received = b""
        self._inflate: zlib._Decompress | None = None
        self._deflate: zlib._Compress | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def connect(self, host: str, port: int, *, tls: ssl.SSLContext | None = None) -> None:
        self._received = b""
        self._inflate = self._deflate = None
        try:
            self._reader, self._writer = await asyncio.open_connection(host, port, ssl=tls)
        except OSError as fault:
            raise StressClosed from fault

    async def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            await asyncio.gather(self._writer.wait_closed(), return_exceptions=True)
            self._writer = None

    def compress(self) -> None:
        self._inflate = zlib.decompressobj(_RAW_DEFLATE)
        self._deflate = zlib.compressobj(wbits=_RAW_DEFLATE)

    async def send(self, data: bytes) -> None:
        if self._deflate is not None:
            data = self._deflate.compress(data) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        assert self._writer is not None
        self._writer.write(data)
        try:
            await self._writer.drain()
        except OSError as fault:
            raise StressClosed from fault

    async def response(self) -> tuple[str, list[bytes]]:
        """Its text with the literals taken out, and these."""
        while (found := self._whole()) is None:
            try:
                data = await self._reader.read(_READ_SIZE)
            except OSError as fault:
                raise StressClosed from fault
            if not data:
                raise StressClosed
            self._received += data if self._inflate is None else self._inflate.decompress(data)
        return found

    def _whole(self) -> tuple[str, list[bytes]] | None:
        literals: list[bytes] = []
        text, at = b"", 0
        while (end := self._received.find(b"\r\n", at)) >= 0:
            line, at = self._received[at:end], end + 2
            found = _LITERAL.search(line)
            if found is None:
                self._received = self._received[at:]
                return (text + line).decode("utf-8", "replace"), literals
            size = int(found.group(1))
            text += line[: found.start()]
            literals.append(self._received[at : at + size])
            at += size
        return None
