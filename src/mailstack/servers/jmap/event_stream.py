"""One stream of events: states as they change, and pings in between. RFC 8620 §7.3.

It remembers no event: what a slow client has not been told yet is told when it reads again, each state once.
"""

import asyncio

from mailstack.model.principal import Account
from mailstack.ports.accounts import Accounts
from mailstack.servers.conversation import Farewell
from mailstack.servers.http.line import Line
from mailstack.services.states.feed import Listener
from mailstack.wire.jmap.event_stream import COMMENT, EventsWanted, beginning, ping_event, state_event

SIGN_S = 120
"""Where no pings are wanted: address translators forget a connection on which nothing is said."""


class EventStream:
    """Works as servers.http.line.Guest. is_chunked: else the end of the connection is the end of the answer."""

    __slots__ = ("_is_chunked", "_line", "_listener", "_next_sign", "_wanted", "account", "accounts")

    kind = "events"

    def __init__(self, account: Account, accounts: Accounts, wanted: EventsWanted, *, is_chunked: bool) -> None:
        self.account = account
        self.accounts = accounts
        self._wanted = wanted
        self._is_chunked = is_chunked
        self._listener: Listener | None = None
        self._line: Line | None = None
        self._next_sign: asyncio.TimerHandle | None = None

    def hear_from(self, listener: Listener) -> None:
        """Before it begins. listener: wakes `tell`."""
        self._listener = listener

    def tell(self) -> None:
        """What is new, unless the client does not read."""
        if self._listener is None or self._line is None or self._line.is_paused:
            return
        news = self._listener.take()
        if news:
            self._say(state_event(news, self._listener.told()))
            if self._wanted.closes_after_state:
                self.end(None)

    # What follows is the line's.

    def begin(self, line: Line) -> None:
        self._line = line
        if self._listener is not None:
            self._say(beginning(self._listener.told()))
            self.tell()

    def received(self, data: bytes) -> None:
        """There is nothing to say here."""

    def ready(self) -> None:
        self.tell()

    def end(self, farewell: Farewell | None) -> None:  # noqa: ARG002  # whoever asks again is told why
        line, self._line = self._line, None
        if line is not None:
            if self._is_chunked:
                line.write(b"0\r\n\r\n")
            line.close()

    def lost(self) -> None:
        self._line = None
        if self._listener is not None:
            self._listener.end()
            self._listener = None
        self._unset_sign()

    def _say(self, text: bytes) -> None:
        if self._line is not None:
            self._line.write(b"%x\r\n%b\r\n" % (len(text), text) if self._is_chunked else text)
            self._await_sign()

    def _sign(self) -> None:
        if self._line is not None and self._line.is_paused:
            self._await_sign()
        else:
            self._say(ping_event(self._wanted.ping_s) if self._wanted.ping_s else COMMENT)

    def _await_sign(self) -> None:
        self._unset_sign()
        self._next_sign = asyncio.get_running_loop().call_later(self._wanted.ping_s or SIGN_S, self._sign)

    def _unset_sign(self) -> None:
        if self._next_sign is not None:
            self._next_sign.cancel()
            self._next_sign = None
