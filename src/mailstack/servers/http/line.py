"""A connection that has left HTTP: its last answer goes on for as long as both sides like, or it speaks a WebSocket.

It keeps nothing of the request, and has no task: an idle one costs its transport, and what its guest remembers. What
the guest has to say while the client does not read is the guest's to leave out.
"""

import asyncio
from dataclasses import dataclass
from typing import Protocol

import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mailstack.model.instant import SECOND_MS
from mailstack.model.metrics import STREAMS_OPEN
from mailstack.model.principal import Account
from mailstack.net.admission import Admission, Held
from mailstack.net.connections import Connections
from mailstack.ports.accounts import Accounts
from mailstack.ports.metrics import Metrics
from mailstack.servers.conversation import Farewell
from mailstack.servers.http.problem import TOO_MANY_STREAMS, Refused

# What the connection leaves in a request's state: itself, as a Host; and an answer of no known length in HTTP/1.0.
CONNECTION = "connection"
HAS_NO_LENGTH = "has no length"
SWITCHING_PROTOCOLS = 101

log = structlog.get_logger()


class Guest(Protocol):
    """Who speaks on a line. Nothing of it is called before `begin`, nor after `lost`, which is called once."""

    @property
    def kind(self) -> str:
        """For the log."""
        ...

    @property
    def account(self) -> Account: ...

    @property
    def accounts(self) -> Accounts:
        """Where it is looked up whether the account still may be here."""
        ...

    def begin(self, line: "Line") -> None:
        """The head of the answer is on its way."""
        ...

    def received(self, data: bytes) -> None: ...

    def ready(self) -> None:
        """The client reads again."""
        ...

    def end(self, farewell: Farewell | None) -> None:
        """Say goodbye and close, as soon as that is polite; may be repeated. farewell: None where this server ends."""
        ...

    def lost(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """What those of a worker have in common."""

    connections: Connections
    admission: Admission
    metrics: Metrics
    open: "set[Line]"


class Host(Protocol):
    """The HTTP connection, before."""

    def admit(self, account: Account) -> bool:
        """It counts for the account from here on, and for its address no more. False: the account has too many."""
        ...

    def begin_answer(self, *, is_last: bool) -> None:
        """is_last: of HTTP, on this connection."""
        ...

    def leave_http(self, guest: Guest) -> bool:
        """False: nobody is there any more."""
        ...


class Line(asyncio.Protocol):
    """Works as net.connections.Connection, and as servers.standing.Seat."""

    __slots__ = ("_began_at", "_deadline", "_guest", "_held", "_lines", "_transport", "_write_s", "peer_host")

    def __init__(
        self, transport: asyncio.Transport, guest: Guest, lines: Lines, *, held: Held, peer: str, write_s: float
    ) -> None:
        self.peer_host = peer
        self._transport = transport
        self._guest = guest
        self._lines = lines
        self._held = held
        self._write_s = write_s
        self._began_at = asyncio.get_running_loop().time()
        self._deadline: asyncio.TimerHandle | None = None

    @property
    def account(self) -> Account:
        return self._guest.account

    @property
    def accounts(self) -> Accounts:
        return self._guest.accounts

    @property
    def is_paused(self) -> bool:
        """The client does not read; what is said now only waits in memory."""
        return self._deadline is not None

    def write(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        """After what was said."""
        self._transport.close()

    def abort(self) -> None:
        self._transport.abort()

    def pause_reading(self) -> None:
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        self._transport.resume_reading()

    def begin(self) -> None:
        self._held.part = self.shut_down
        self._lines.open.add(self)
        self._guest.begin(self)
        self._lines.metrics.add(STREAMS_OPEN, self._guest.kind)

    def shut_down(self) -> None:
        self._guest.end(None)

    def end(self, farewell: Farewell) -> None:
        self._guest.end(farewell)

    # What follows is called by asyncio.

    def data_received(self, data: bytes) -> None:
        self._guest.received(data)

    def pause_writing(self) -> None:
        self._deadline = asyncio.get_running_loop().call_later(self._write_s, self._transport.abort)

    def resume_writing(self) -> None:
        self._unset_deadline()
        self._guest.ready()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's
        self._unset_deadline()
        self._lines.open.discard(self)
        self._lines.connections.remove(self)
        self._lines.admission.leave(self._held)
        self._lines.metrics.add(STREAMS_OPEN, self._guest.kind, by=-1)
        self._guest.lost()
        lasted_ms = round((asyncio.get_running_loop().time() - self._began_at) * SECOND_MS)
        log.info("stream ended", kind=self._guest.kind, account=self.account.login, peer=self.peer_host, ms=lasted_ms)

    def _unset_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class LineResponse(Response):
    """An answer whose head is all that HTTP has to say: then the guest has the connection. The account's limit holds;
    whoever does not get in is told so, and the guest that it is over."""

    def __init__(self, guest: Guest, *, status_code: int = 200, headers: dict[str, str]) -> None:
        super().__init__(status_code=status_code, headers=headers)
        del self.headers["content-length"]
        self._guest = guest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  # Starlette's
        host: Host = scope["state"][CONNECTION]
        is_in = False
        try:
            if not host.admit(self._guest.account):
                raise Refused(TOO_MANY_STREAMS)
            host.begin_answer(is_last=self.status_code != SWITCHING_PROTOCOLS)
            scope["state"][HAS_NO_LENGTH] = True
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            is_in = host.leave_http(self._guest)
        finally:
            if not is_in:
                self._guest.lost()
