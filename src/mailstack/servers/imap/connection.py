"""One connection: events in, responses out, and how it is woken or asked to end while it waits.

No task of its own: a wake-up cuts short the deadline of the read that is under way.
"""

import asyncio
import ssl
from collections.abc import Iterator

from mailstack.net.stream import Stream
from mailstack.servers.imap.service import ImapLimits
from mailstack.wire.imap.events import Event
from mailstack.wire.imap.limits import BEFORE_LOGIN
from mailstack.wire.imap.machine import ImapMachine
from mailstack.wire.imap.responses import Response
from mailstack.wire.imap.write import write

FLUSH_OCTETS = 64 * 1024


class PeerGone(Exception):
    """The other side closed the connection, or does not read what we say."""


class ShutDown(Exception):
    """The server wants to end. text: why, for the client; code: for its program, or none."""

    def __init__(self, text: str, code: str) -> None:
        super().__init__(text)
        self.text = text
        self.code = code


class ImapConnection:
    """Works as net.connections.Connection."""

    def __init__(self, stream: Stream, limits: ImapLimits) -> None:
        self.stream = stream
        self.machine = ImapMachine(BEFORE_LOGIN)
        self._limits = limits
        self._events: Iterator[Event] = iter(())
        self._out: list[bytes] = []
        self._out_octets = 0
        self._patience: asyncio.Timeout | None = None
        self._ending: tuple[str, str] | None = None
        self._is_woken = False
        self._is_utf8 = False
        self._last_said = b""

    @property
    def is_amid_response(self) -> bool:
        """A piece was said, and more of it is to come."""
        return not self._last_said.endswith(b"\r\n")

    def shut_down(self) -> None:
        self.end("Server is shutting down")

    def end(self, text: str, code: str = "") -> None:
        """Once the command in hand is answered."""
        self._ending = text, code
        self._cut_short()

    def abort(self) -> None:
        self.stream.abort()

    def wake(self) -> None:
        """Ends a wait in next_event_or_wake, now or when it begins."""
        self._is_woken = True
        self._cut_short()

    def use_utf8(self, *, is_on: bool) -> None:
        """RFC 6855 §3: whether mailbox names are UTF-8 from here on, in both directions."""
        self._is_utf8 = is_on
        self.machine.use_utf8(is_on=is_on)

    def say(self, *responses: Response) -> None:
        for response in responses:
            self.say_octets(write(response, is_utf8=self._is_utf8))

    def say_octets(self, octets: bytes) -> None:
        """Whole responses, or consecutive pieces of one."""
        self._out.append(octets)
        self._last_said = octets[-2:]
        self._out_octets += len(octets)

    async def flush(self) -> None:
        """Raises PeerGone also for a peer that does not read; ConnectionError."""
        out, self._out, self._out_octets = self._out, [], 0
        if out:
            await self._write(*out)

    async def flush_when_full(self) -> None:
        if self._out_octets > FLUSH_OCTETS:
            await self.flush()

    async def next_event(self) -> Event:
        """Raises PeerGone, ShutDown, ProtocolFault; TimeoutError when nothing came for so long."""
        while True:
            event = next(self._events, None)
            if event is not None:
                return event
            await self._read_more(self._limits.idle_s)

    async def next_event_or_wake(self, timeout_s: float) -> Event | None:
        """None: woken, or the time is up. Raises PeerGone, ShutDown, ProtocolFault."""
        while True:
            event = next(self._events, None)
            if event is not None:
                return event
            if not self._is_woken:
                try:
                    await self._read_more(timeout_s)
                    continue
                except TimeoutError:
                    pass
            self._is_woken = False
            return None

    async def start_tls(self, context: ssl.SSLContext) -> None:
        """Raises TimeoutError, ConnectionError, ssl.SSLError."""
        await self.flush()
        self.machine.drop_input()
        self._events = iter(())
        await self.stream.start_tls(context, timeout_s=self._limits.handshake_s)

    async def start_deflate(self) -> None:
        """RFC 4978 §3: the client waits for the answer; what it did not wait with is nobody's. Raises PeerGone."""
        await self.flush()
        self.machine.drop_input()
        self._events = iter(())
        self.stream.start_deflate()

    async def _write(self, *chunks: bytes) -> None:
        try:
            await self.stream.write(*chunks, timeout_s=self._limits.write_s)
        except TimeoutError:
            self.abort()
            raise PeerGone from None

    async def _read_more(self, timeout_s: float) -> None:
        await self.flush()
        if self._ending is not None:
            raise ShutDown(*self._ending)
        if self.machine.is_amid_command:
            self.stream.acknowledge_at_once()
        try:
            async with asyncio.timeout(timeout_s) as self._patience:
                data = await self.stream.read(timeout_s=timeout_s + 1)
        except TimeoutError:
            if self._ending is not None:
                raise ShutDown(*self._ending) from None
            raise
        finally:
            self._patience = None
        if not data:
            raise PeerGone
        self._events = self.machine.feed(data)

    def _cut_short(self) -> None:
        # asyncio cancels the read before it has taken anything: what has come stays in the stream.
        if self._patience is not None and not self._patience.expired():
            self._patience.reschedule(0)
