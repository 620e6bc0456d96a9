"""One HTTP/1.1 connection: uvicorn's protocol with our bounds, deadlines and refusals, on a loop that is not uvicorn's.

uvicorn parses (httptools) and writes; its server, signals, logs and configuration are not used. What cannot be read is
answered in its turn, like any request, and nothing after it is looked at: what follows a request whose end is in doubt
may be somebody else's. RFC 9112 §2.2, §6, §9, §11.2.
"""

import asyncio
import ssl
from collections import deque
from dataclasses import dataclass
from typing import NoReturn

import httptools
from starlette.types import ASGIApp
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from mailstack.model.networks import subscriber_of
from mailstack.model.principal import Account
from mailstack.net.admission import Admission, Held, host_of
from mailstack.net.connections import Connections
from mailstack.net.tls_proofs import ACME_TLS
from mailstack.servers.http.answer import AnswerTransport
from mailstack.servers.http.floor import FAULT, HOST, REASON, Floor
from mailstack.servers.http.head import BadHead, read_head
from mailstack.servers.http.limits import HttpLimits
from mailstack.servers.http.line import CONNECTION, Guest, Line, Lines
from mailstack.servers.http.problem import (
    BAD_REQUEST,
    CONTENT_TOO_LARGE,
    HEAD_TOO_LARGE,
    REQUEST_TIMEOUT,
    TOO_BUSY,
    TOO_MANY_CONNECTIONS,
    URI_TOO_LONG,
    Problem,
)
from mailstack.servers.http.target import HTTP_1_0

FRAMING_SHARE = 8
"""Octets of chunk framing that one octet of content may cost; one in chunks of its own costs six."""


class Unreadable(Exception):
    """Leaves the parser's callbacks; the connection has noted the problem."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What all connections of a worker have in common. config, state: uvicorn's; state has the tasks under way."""

    config: Config
    state: ServerState
    connections: Connections
    admission: Admission
    lines: Lines


class HttpConnection(HttpToolsProtocol):
    """Works as net.connections.Connection, and as servers.http.line.Host."""

    def __init__(self, floor: Floor, limits: HttpLimits, *, shared: Shared, came_from: str) -> None:
        super().__init__(shared.config, shared.state, {}, asyncio.get_running_loop())
        # A parser as strict as llhttp has it: uvicorn's lets octets pass that follow a last request.
        self.parser = httptools.HttpRequestParser(self)
        self.timeout_keep_alive = limits.keep_alive_s  # type: ignore[assignment]  # call_later takes fractions
        self._floor = floor
        self._limits = limits
        self._shared = shared
        self._peer = came_from
        self._held: Held | None = None
        self._admission = shared.admission
        self._is_ending = False
        self._is_over = False
        self._is_refused = False
        self._is_amid_head = False
        self._is_amid_body = False
        self._problem: Problem | None = None
        self._reason = ""
        self._head_octets = 0
        self._body_octets = 0
        self._body_octets_before = 0
        self._framing_octets = 0
        self._deadline: asyncio.TimerHandle | None = None
        self._write_deadline: asyncio.TimerHandle | None = None
        self._unanswered: deque[RequestResponseCycle] = deque()
        self._ahead: bytes | None = None

    def shut_down(self) -> None:
        """A request that has begun is answered, and is the last one."""
        self._is_ending = True
        if self._is_amid_head:
            return
        self.shutdown()

    def abort(self) -> None:
        self.transport.abort()

    # What follows is as servers.http.line.Host has it.

    def admit(self, account: Account) -> bool:
        if self._held is None:
            return True  # whoever is gone needs no place
        limits, streams = self._limits, self._shared.lines.admission
        held = streams.admit(
            account.account_id, limit=limits.streams_per_account, total=limits.streams, part=self.shut_down
        )
        if held is None:
            return False
        self._leave()
        self._held, self._admission = held, streams
        return True

    def begin_answer(self, *, is_last: bool) -> None:
        # uvicorn would announce chunks where there is no length, and the end of the connection.
        self.cycle.chunked_encoding = False
        self.cycle.keep_alive = not is_last

    def leave_http(self, guest: Guest) -> bool:
        if self.transport.is_closing() or self._held is None:
            return False
        self._is_over = True
        self._stop_waiting()
        self._unset_write_deadline()
        self.cycle.disconnected = True  # for uvicorn, which would wait for the end of the answer
        self.connections.discard(self)
        line = Line(
            self.transport,
            guest,
            self._shared.lines,
            held=self._held,
            peer=self._peer,
            write_s=self._limits.write_s,
        )
        self.transport.set_protocol(line)
        self.flow.resume_reading()
        line.begin()
        self._shared.connections.replace(self, line)
        if self._ahead:
            line.data_received(self._ahead)
        if self._is_ending:
            line.shut_down()
        return True

    # What follows is called by asyncio.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        session = transport.get_extra_info("ssl_object")
        if isinstance(session, ssl.SSLObject) and session.selected_alpn_protocol() == ACME_TLS:
            self._is_over = True
            transport.close()  # RFC 8737 §3: the handshake was the proof
            return
        self._peer = self._peer or host_of(transport.get_extra_info("peername"))
        limits = self._limits
        self._held = self._admission.admit(
            subscriber_of(self._peer), limit=limits.connections_per_ip, total=limits.connections, part=self.shut_down
        )
        super().connection_made(transport)
        self._shared.connections.add(self)
        if self._held is not None:
            self._wait(limits.head_s)
        else:
            self._refuse(TOO_MANY_CONNECTIONS)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.transport is None:
            return
        self._is_over = True
        self._stop_waiting()
        self._unset_write_deadline()
        self._unset_keepalive_if_required()
        self._shared.connections.remove(self)
        self._leave()
        for cycle in self._unanswered:  # uvicorn tells the last one only
            cycle.disconnected = not cycle.response_complete
            cycle.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_over:
            if self._ahead is not None:
                self._keep_ahead(data)
            return
        was_amid_head, was_amid_body, body_before = self._is_amid_head, self._is_amid_body, self._body_octets
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            # RFC 9110 §7.8: an upgrade may be passed over; what follows may be another protocol already.
            self._is_over = True
            self.cycle.keep_alive = False
            self._keep_ahead(data[upgrade.args[0] :])
        except httptools.HttpParserError as fault:
            if not self._is_over:
                # Our own callbacks leave word of a problem; anything else is llhttp's to say.
                self._refuse(self._problem or BAD_REQUEST, self._reason if self._problem else str(fault))
        else:
            self._count(len(data), was_amid_head, was_amid_body, body_before)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._write_deadline = self.loop.call_later(self._limits.write_s, self.transport.abort)

    def resume_writing(self) -> None:
        self._unset_write_deadline()
        super().resume_writing()

    # What follows is called by the parser, in this order.

    def on_message_begin(self) -> None:
        super().on_message_begin()
        # Not at any octet: line ends before a request are passed over (RFC 9112 §2.2), and could come for ever.
        self._unset_keepalive_if_required()
        self._is_amid_head = True
        self._head_octets = self._body_octets = self._body_octets_before = self._framing_octets = 0
        self.scope["state"][HOST] = ""
        self.scope["state"][CONNECTION] = self
        self.scope["method"], self.scope["path"], self.scope["query_string"] = "-", "-", b""
        self._wait(self._limits.head_s)
        if len(self.pipeline) >= self._limits.pipelined:
            self._give_up(TOO_BUSY)

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > self._limits.target_bytes:
            self._give_up(URI_TOO_LONG)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_octets += len(name) + len(value)
        if not self._is_amid_head:
            # RFC 9110 §6.5.1: a trailer is no header; counted with the framing, and dropped.
            return
        if self._head_octets > self._limits.head_bytes or len(self.headers) >= self._limits.fields:
            self._give_up(HEAD_TOO_LARGE)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._check_head()
        self._is_amid_head, self._is_amid_body = False, True
        if self.parser.get_http_version() == HTTP_1_0:
            self.expect_100_continue = False  # RFC 9110 §10.1.1: it would take 100 for the answer
        self._wait(self._limits.body_s)
        self._begin_answer(self._floor)
        # RFC 9110 §10.1.1: after a refusal nobody knows whether the content still comes, or the next request.
        if self._is_ending or self.expect_100_continue:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        self._body_octets += len(body)
        is_unwanted = self.cycle.response_complete and self._body_octets > self._limits.surplus_bytes
        if is_unwanted or self._body_octets > self._limits.body_bytes:
            self._give_up(CONTENT_TOO_LARGE)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._is_amid_body = False
        self._stop_waiting()
        # RFC 9112 §9.6: nothing counts after the last request.
        self._is_over = not self.cycle.keep_alive
        super().on_message_complete()

    def _check_head(self) -> None:
        parser = self.parser
        version, is_upgrade = parser.get_http_version(), parser.should_upgrade()
        try:
            target = read_head(parser.get_method(), self.url, self.headers, version=version, is_upgrade=is_upgrade)
        except BadHead as fault:
            self._give_up(fault.problem, fault.reason)
        self.url = target.origin
        self.scope["state"][HOST] = target.host
        if len(self.tasks) >= self._limits.requests:
            self._give_up(TOO_BUSY)

    def _count(self, octets: int, was_amid_head: bool, was_amid_body: bool, body_before: int) -> None:
        """What the parser has not handed on. A head or body that began within these octets is counted from the next."""
        if self._is_amid_head and was_amid_head:
            self._head_octets += octets
            if self._head_octets > self._limits.head_bytes + self._limits.target_bytes:
                self._refuse(HEAD_TOO_LARGE)
        elif self._is_amid_body and was_amid_body:
            self._framing_octets += octets - (self._body_octets - body_before)
            if self._framing_octets > self._limits.framing_bytes + FRAMING_SHARE * self._body_octets:
                self._refuse(BAD_REQUEST)

    def _give_up(self, problem: Problem, reason: str = "") -> NoReturn:
        """From within the parser, which must not go on. reason: for the log."""
        self._problem, self._reason = problem, reason
        raise Unreadable

    def _refuse(self, problem: Problem, reason: str = "") -> None:
        """The last answer of this connection, in its turn. reason: for the log."""
        self._is_over = self._is_refused = True
        self._stop_waiting()
        if self._is_amid_body:
            self._fail_body(problem)
            return
        if not self._is_amid_head:
            super().on_message_begin()  # what came is not even the beginning of a request
        self._is_amid_head = False
        method, self.url = self.parser.get_method().decode("ascii") if self.url else "-", b"/"
        self._begin_answer(self._floor.refusing(problem))
        self.scope["method"], self.scope["path"] = method, "-"
        self.scope["state"][REASON] = reason
        self.cycle.more_body = self.cycle.keep_alive = False

    def _fail_body(self, problem: Problem) -> None:
        """The page that waits for the content is told the problem instead: see Exchange.receive."""
        self._is_amid_body = False
        self.cycle.scope["state"][FAULT] = problem
        self.cycle.keep_alive = False
        self.cycle.message_event.set()
        if self.cycle.response_complete:
            self._end()

    def _begin_answer(self, app: ASGIApp) -> None:
        """In its turn, when others are before it."""
        self.app = app
        super().on_headers_complete()
        self.cycle.transport = AnswerTransport(self.transport, self._end)
        while self._unanswered and self._unanswered[0].response_complete:
            self._unanswered.popleft()
        self._unanswered.append(self.cycle)

    def _end(self) -> None:
        """Now, or a moment after all that still comes was thrown away: RFC 9112 §9.6, a connection that is closed on
        octets that nobody read is reset, and its last answer may be lost."""
        has_unread = self._is_refused or self._is_amid_body
        self._is_over = True
        if not has_unread:
            self.transport.close()
            return
        self._stop_waiting()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._deadline = self.loop.call_later(self._limits.linger_s, self.transport.close)

    def _keep_ahead(self, data: bytes) -> None:
        """For whoever has the connection once it is agreed to."""
        self.flow.pause_reading()
        self._ahead = (self._ahead or b"") + data
        if len(self._ahead) > self._limits.ahead_bytes:
            self._ahead = None
            self.transport.abort()

    def _leave(self) -> None:
        if self._held is not None:
            self._admission.leave(self._held)
            self._held = None

    def _wait(self, seconds: float) -> None:
        self._stop_waiting()
        self._deadline = self.loop.call_later(seconds, self._time_out)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _time_out(self) -> None:
        if self._is_amid_body and self._body_octets - self._body_octets_before >= self._limits.body_step_bytes:
            self._body_octets_before = self._body_octets
            self._wait(self._limits.body_s)
        elif self._is_amid_head or self._is_amid_body:
            self._refuse(REQUEST_TIMEOUT)
        else:
            self.transport.close()  # RFC 9112 §9.5: who never asked anything needs no answer

    def _unset_write_deadline(self) -> None:
        if self._write_deadline is not None:
            self._write_deadline.cancel()
            self._write_deadline = None
