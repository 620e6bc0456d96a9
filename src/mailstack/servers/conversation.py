"""One connection of a protocol that a machine reads: events in, responses out, and how it is woken or asked to end
while it waits.

No task of its own: a wake-up cuts short the deadline of the read that is under way.
"""

import asyncio
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from mailstack.net.stream import Stream

FLUSH_OCTETS = 64 * 1024

E_co = TypeVar("E_co", covariant=True)
E = TypeVar("E")
R = TypeVar("R")


class Machine(Protocol[E_co]):
    """The server's half of a conversation, as wire/ has it."""

    @property
    def is_amid_command(self) -> bool: ...

    def feed(self, data: bytes) -> Iterator[E_co]: ...

    def drop_input(self) -> None: ...


class Patience(Protocol):
    """idle_s: without a command; write_s: while the peer's window is shut; handshake_s: of TLS."""

    @property
    def idle_s(self) -> float: ...

    @property
    def write_s(self) -> float: ...

    @property
    def handshake_s(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Farewell:
    """Why the server ends, for people. is_for_now: there are too many at the moment. is_of_fault: of the peer's, which
    may be sending yet what nobody reads."""

    text: str
    is_for_now: bool = False
    is_of_fault: bool = False


class PeerGone(Exception):
    """The other side closed the connection, or does not read what we say."""


class ShutDown(Exception):
    """The server wants to end."""

    def __init__(self, farewell: Farewell) -> None:
        super().__init__(farewell.text)
        self.farewell = farewell


class Conversation(Generic[E, R]):
    """Works as net.connections.Connection. write: one response as octets; may change between two of them."""

    def __init__(self, stream: Stream, machine: Machine[E], write: Callable[[R], bytes], patience: Patience) -> None:
        self.stream = stream
        self.write = write
        self._machine = machine
        self._patience = patience
        self._events: Iterator[E] = iter(())
        self._out: list[bytes] = []
        self._out_octets = 0
        self._deadline: asyncio.Timeout | None = None
        self._ending: Farewell | None = None
        self._is_woken = False
        self._last_said = b""

    @property
    def is_amid_response(self) -> bool:
        """A piece was said, and more of it is to come."""
        return not self._last_said.endswith(b"\r\n")

    def shut_down(self) -> None:
        self.end(Farewell("Server is shutting down"))

    def end(self, farewell: Farewell) -> None:
        """Once the command in hand is answered."""
        self._ending = farewell
        self._cut_short()

    def abort(self) -> None:
        self.stream.abort()

    def wake(self) -> None:
        """Ends a wait in next_event_or_wake, now or when it begins."""
        self._is_woken = True
        self._cut_short()

    def say(self, *responses: R) -> None:
        for response in responses:
            self.say_octets(self.write(response))

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

    async def next_event(self) -> E:
        """Raises PeerGone, ShutDown, ProtocolFault; TimeoutError when nothing came for so long."""
        while True:
            event = next(self._events, None)
            if event is not None:
                return event
            await self._read_more(self._patience.idle_s)

    async def next_event_or_wake(self, timeout_s: float) -> E | None:
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
        self._machine.drop_input()
        self._events = iter(())
        await self.stream.start_tls(context, timeout_s=self._patience.handshake_s)

    async def start_deflate(self) -> None:
        """RFC 4978 §3: the client waits for the answer; what it did not wait with is nobody's. Raises PeerGone."""
        await self.flush()
        self._machine.drop_input()
        self._events = iter(())
        self.stream.start_deflate()

    async def _write(self, *chunks: bytes) -> None:
        try:
            await self.stream.write(*chunks, timeout_s=self._patience.write_s)
        except TimeoutError:
            self.abort()
            raise PeerGone from None

    async def _read_more(self, timeout_s: float) -> None:
        await self.flush()
        if self._ending is not None:
            raise ShutDown(self._ending)
        if self._machine.is_amid_command:
            self.stream.acknowledge_at_once()
        try:
            async with asyncio.timeout(timeout_s) as self._deadline:
                data = await self.stream.read(timeout_s=timeout_s + 1)
        except TimeoutError:
            if self._ending is not None:
                raise ShutDown(self._ending) from None
            raise
        finally:
            self._deadline = None
        if not data:
            raise PeerGone
        self._events = self._machine.feed(data)

    def _cut_short(self) -> None:
        # asyncio cancels the read before it has taken anything: what has come stays in the stream.
        if self._deadline is not None and not self._deadline.expired():
            self._deadline.reschedule(0)
