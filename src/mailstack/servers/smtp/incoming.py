"""What the peer has sent and nobody has read yet: the protocol fills it, the session empties it.

Gives out command lines, and whole chunks while a message is read. Bounded: past HIGH_BYTES the transport is paused, so
a peer that sends ahead fills its own buffers. RFC 5321 §2.3.8, §4.5.3.1.4; RFC 2920 §3.2.
"""

import asyncio

from mailstack.servers.smtp.replies import BARE_LINE_FEED, LINE_TOO_LONG, SYNTAX, UNRECOGNISED, FramingLost, Refused

HIGH_BYTES = 256 * 1024
LOW_BYTES = 64 * 1024
MAX_SKIPPED_BYTES = 64 * 1024
"""How far the end of an overlong line is looked for before the connection is given up."""


class EndOfInput(Exception):
    """The peer has closed its side, and no whole line is left."""


class Incoming:
    """transport: replaced at STARTTLS. waiting_since: the loop's time when the wait for the peer began, or None."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.transport: asyncio.Transport | None = None
        self.waiting_since: float | None = None
        self._loop = loop
        self._buffer = bytearray()
        self._waiter: asyncio.Future[None] | None = None
        self._has_ended = False
        self._is_paused = False

    def __len__(self) -> int:
        return len(self._buffer)

    def feed(self, data: bytes) -> None:
        self._buffer += data
        self._wake()
        if len(self._buffer) > HIGH_BYTES and not self._is_paused and self.transport is not None:
            self._is_paused = True
            self.transport.pause_reading()

    def feed_end(self) -> None:
        self._has_ended = True
        self._wake()

    def drop(self) -> int:
        """Forgets everything unread; returns how many bytes that were."""
        dropped = len(self._buffer)
        self._buffer.clear()
        self._resume()
        return dropped

    def unread(self, data: bytes) -> None:
        """Puts back what a chunk held beyond the message."""
        self._buffer[:0] = data

    async def command(self, *, limit: int, auth_limit: int) -> bytes:
        """The next command line with its CRLF. Raises Refused for one that is no command, FramingLost, EndOfInput."""
        line = await self._line(auth_limit)
        try:
            self._checked(line)
        except Refused as refusal:
            raise FramingLost(refusal.reply) if _tells_of_octets(line) else refusal from None
        if len(line) > limit and line[:5].upper() != b"AUTH ":
            raise FramingLost(LINE_TOO_LONG) if _tells_of_octets(line) else Refused(LINE_TOO_LONG)
        word = line[:-2].partition(b" ")[0]
        if not word:
            raise Refused(SYNTAX)
        if not word.isascii():
            raise Refused(UNRECOGNISED)
        return line

    async def line(self, *, limit: int) -> bytes:
        """One line with its CRLF. Raises Refused for an overlong or binary one, FramingLost, EndOfInput."""
        return self._checked(await self._line(limit))

    def _checked(self, line: bytes) -> bytes:
        if not line.endswith(b"\r\n"):
            self.drop()
            raise FramingLost(BARE_LINE_FEED)
        if line.find(b"\r", 0, -2) >= 0 or b"\0" in line:
            raise Refused(SYNTAX)
        return line

    async def chunk(self, *, at_most: int = HIGH_BYTES) -> bytes:
        """What is there, at least one byte. Raises EndOfInput."""
        if not self._buffer:
            await self._more(self._loop.time())
        data = bytes(self._buffer[:at_most])
        del self._buffer[:at_most]
        self._resume()
        return data

    async def _line(self, limit: int) -> bytes:
        buffer = self._buffer
        began = self._loop.time()
        end = buffer.find(b"\n")
        while end < 0 and len(buffer) <= limit:
            searched = len(buffer)
            await self._more(began)
            end = buffer.find(b"\n", searched)
        if end < 0 or end >= limit:
            if _tells_of_octets(buffer):
                raise FramingLost(LINE_TOO_LONG)
            await self._skip_line(began)
            raise Refused(LINE_TOO_LONG)
        line = bytes(buffer[: end + 1])
        del buffer[: end + 1]
        self._resume()
        return line

    async def _skip_line(self, began: float) -> None:
        skipped = 0
        while (end := self._buffer.find(b"\n")) < 0:
            skipped += self.drop()
            if skipped > MAX_SKIPPED_BYTES:
                raise FramingLost(LINE_TOO_LONG)
            await self._more(began)
        del self._buffer[: end + 1]
        self._resume()

    async def _more(self, began: float) -> None:
        """began: when the wait for this line or chunk began; pieces that trickle in do not prolong it."""
        if self._has_ended:
            raise EndOfInput
        self._waiter = self._loop.create_future()
        self.waiting_since = began
        try:
            await self._waiter
        finally:
            self._waiter = None
            self.waiting_since = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _resume(self) -> None:
        if self._is_paused and len(self._buffer) <= LOW_BYTES and self.transport is not None:
            self._is_paused = False
            self.transport.resume_reading()


def _tells_of_octets(line: bytes | bytearray) -> bool:
    """RFC 3030 §2: octets follow it at once, so when the line is refused nobody knows where commands begin."""
    return line[:4].upper() == b"BDAT"
