"""A line on which a WebSocket is spoken: whole messages in and out, pings, and an end in good order. RFC 6455 §5.5, §7.

While the talker has its hands full, or the client does not read, nothing more is read.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

import structlog
from websockets.frames import CloseCode

from mailstack.model.principal import Account
from mailstack.ports.accounts import Accounts
from mailstack.servers.conversation import Farewell
from mailstack.servers.http.line import Line
from mailstack.wire.websocket.machine import (
    Broken,
    Closed,
    Event,
    Ping,
    Pong,
    Text,
    WebSocketMachine,
    close,
    ping,
    pong,
)

log = structlog.get_logger()

PING_S = 50.0
"""Without a word of the client it is asked for one, and after as much again it is cut off; address translators forget a
connection after some minutes at the earliest."""
GOODBYE_S = 5.0
"""RFC 6455 §7.1.1: so long the client may take to say goodbye as well."""

LINGER_S = 1.0
"""So long what is not read any more keeps coming in; closed at once, the goodbye could be lost."""


class Talker(Protocol):
    @property
    def kind(self) -> str: ...

    @property
    def account(self) -> Account: ...

    @property
    def accounts(self) -> Accounts: ...

    @property
    def is_busy(self) -> bool:
        """There is something under way that the client waits for."""
        ...

    @property
    def is_full(self) -> bool:
        """It hears nothing more for now."""
        ...

    def begin(self, socket: "WebSocket") -> None: ...

    def hear(self, message: bytes) -> None: ...

    def see_coming(self, octets: int) -> None:
        """So many of a message that goes on."""
        ...

    def ready(self) -> None:
        """The client reads again."""
        ...

    def lost(self) -> None: ...


class WebSocket:
    """Works as servers.http.line.Guest."""

    __slots__ = ("_goodbye", "_has_closed", "_is_held_up", "_line", "_machine", "_talker", "_timer", "_was_heard")

    def __init__(self, talker: Talker, machine: WebSocketMachine) -> None:
        self._talker = talker
        self._machine = machine
        self._line: Line | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._was_heard = True
        self._is_held_up = False
        self._goodbye: tuple[int, str] | None = None
        self._has_closed = False

    @property
    def kind(self) -> str:
        return self._talker.kind

    @property
    def account(self) -> Account:
        return self._talker.account

    @property
    def accounts(self) -> Accounts:
        return self._talker.accounts

    @property
    def is_paused(self) -> bool:
        return self._line is None or self._line.is_paused

    @property
    def peer_host(self) -> str:
        return "" if self._line is None else self._line.peer_host

    def framed(self, message: bytes, *, is_deflated: bool) -> bytes:
        """is_deflated: where the client agreed to it. Large ones are for a thread."""
        return self._machine.text(message, is_deflated=is_deflated)

    def say(self, frame: bytes) -> None:
        if self._line is not None and not self._has_closed:
            self._line.write(frame)

    def go_on(self) -> None:
        """The talker has done something."""
        if self._line is None or self._has_closed:
            return
        self._hear()
        if self._goodbye is not None and not self._talker.is_busy:
            self.close(*self._goodbye)

    def close(self, code: int, reason: str = "") -> None:
        """At once; whatever the client says afterwards is not heard."""
        if self._line is None or self._has_closed:
            return
        self._line.write(close(code, reason))
        self._has_closed = True
        self._let_come()
        self._await(GOODBYE_S, self._line.abort)

    # What follows is the line's.

    def begin(self, line: Line) -> None:
        self._line = line
        self._await(PING_S, self._look_for_life)
        self._talker.begin(self)

    def received(self, data: bytes) -> None:
        self._was_heard = True
        self._machine.receive(data)
        self._hear()

    def ready(self) -> None:
        self._talker.ready()
        self.go_on()

    def end(self, farewell: Farewell | None) -> None:
        # RFC 6455 §7.4.1: a server that goes down; else something that there is no other code for.
        code = CloseCode.GOING_AWAY if farewell is None else CloseCode.POLICY_VIOLATION
        self._goodbye = code, "" if farewell is None else farewell.text
        self.go_on()

    def lost(self) -> None:
        self._line = None
        self._unset_timer()
        self._talker.lost()

    def _hear(self) -> None:
        while self._line is not None:
            if self._is_full and not self._has_closed:
                self._hold_up()
                return
            event = self._machine.next_event()
            if event is None:
                break
            self._meet(event, self._line)
        if self._machine.message_octets:
            self._talker.see_coming(self._machine.message_octets)
        self._let_come()

    @property
    def _is_full(self) -> bool:
        return self._talker.is_full or self.is_paused or self._goodbye is not None

    def _meet(self, event: Event, line: Line) -> None:
        match event:
            case Closed(code=code):
                # RFC 6455 §5.5.1: the answer to a goodbye is one, with its code.
                if not self._has_closed:
                    line.write(close(code))
                    self._has_closed = True
                line.close()
            case Broken(code=broken_code, reason=reason):
                log.info("broken", kind=self.kind, peer=line.peer_host, code=int(broken_code), reason=reason)
                self.close(broken_code, reason)
                self._await(LINGER_S, line.close)
            case _ if self._has_closed:
                return
            case Ping():
                line.write(pong(event))
            case Text(data=data):
                self._talker.hear(data)
            case Pong():
                return

    def _hold_up(self) -> None:
        if not self._is_held_up and self._line is not None:
            self._is_held_up = True
            self._line.pause_reading()

    def _let_come(self) -> None:
        if self._is_held_up and self._line is not None:
            self._is_held_up = False
            self._line.resume_reading()

    def _look_for_life(self) -> None:
        if self._line is None:
            return
        # Who is held up may be saying something.
        if not self._was_heard and not self._is_held_up:
            self._line.abort()
            return
        self._was_heard = False
        if not self._line.is_paused:
            self._line.write(ping())
        self._await(PING_S, self._look_for_life)

    def _await(self, seconds: float, step: Callable[[], None]) -> None:
        self._unset_timer()
        self._timer = asyncio.get_running_loop().call_later(seconds, step)

    def _unset_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
