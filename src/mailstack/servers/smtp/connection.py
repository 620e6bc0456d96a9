"""One SMTP connection from greeting to goodbye, on aiosmtpd's command loop.

The loop reads a line, looks its word up and awaits what it finds; everything it calls on the way is overridden here:
where lines come from (Incoming), what commands do (one module each, listed in server.py), how faults become replies,
deadlines, and the end. aiosmtpd's own commands, DATA reader and texts are never reached. RFC 5321 §3, §4.2, §4.5.3.2.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import NoReturn, cast

import structlog
from aiosmtpd.smtp import SMTP

from mailstack.model.delivery import SmtpReply
from mailstack.model.errors import DomainError
from mailstack.net.connections import Connections
from mailstack.servers.smtp.admission import Admission
from mailstack.servers.smtp.errors import reply_for
from mailstack.servers.smtp.incoming import EndOfInput, Incoming
from mailstack.servers.smtp.replies import (
    LOCAL_ERROR,
    SHUTTING_DOWN,
    TIMED_OUT,
    TOO_MANY_CONNECTIONS,
    TOO_MANY_ERRORS,
    FramingLost,
    Refused,
    encode,
)
from mailstack.servers.smtp.service import SmtpRole, SmtpService
from mailstack.servers.smtp.session import Offences, Session

Command = Callable[["SmtpConnection", str], Awaitable[SmtpReply | None]]
"""Takes the argument without the command word; returns the reply, or None when it has said all itself."""

_LAST_WORDS = (221, 421)
"""RFC 5321 §3.8: the server closes the channel after these."""

log = structlog.get_logger()


class SmtpConnection(SMTP):
    def __init__(
        self,
        service: SmtpService,
        role: SmtpRole,
        *,
        commands: Mapping[str, Command],
        unrecognised: Command,
        connections: Connections,
        admission: Admission,
    ) -> None:
        super().__init__(None, hostname=service.hostname, ident="ESMTP", enable_SMTPUTF8=True, loop=_loop())
        self.service = service
        self.role = role
        self.incoming = Incoming(self.loop)
        self.peer_host = ""
        self.state = Session()
        self.offences = Offences()
        self._connections = connections
        self._admission = admission
        self._is_admitted = False
        self._is_idle = False
        self._is_ending = False
        self._is_over = False
        # The loop asks these two for nothing but get() and a limit that Incoming has already enforced.
        self._smtp_methods = _Words(self, commands, unrecognised)  # type: ignore[assignment]
        self.command_size_limit = service.limits.auth_bytes
        self._auth_methods = {}

    @property
    def tls(self) -> ssl.SSLObject | None:
        found: ssl.SSLObject | None = self.transport.get_extra_info("ssl_object") if self.transport else None
        return found

    @property
    def is_secure(self) -> bool:
        """May secrets be sent here."""
        return self.tls is not None or self.service.plaintext_is_secure(self.peer_host)

    async def say(self, reply: SmtpReply) -> None:
        if reply.code in _LAST_WORDS:
            self._is_over = True
        await self.push(encode(reply))

    async def switch_to_tls(self, context: ssl.SSLContext) -> None:
        """Forgets what was said before and what was sent ahead (CVE-2011-0411), then shakes hands or hangs up."""
        self.state = Session()
        # Nothing may come in between these two: start_tls takes the socket away from us before it first waits.
        dropped = self.incoming.drop()
        handshake = self._writer.start_tls(context, ssl_handshake_timeout=self.service.limits.handshake_s)
        if dropped:
            log.warning("plain text after STARTTLS dropped", peer=self.peer_host, octets=dropped)
        try:
            await handshake
        except (OSError, TimeoutError) as fault:  # ssl.SSLError is an OSError
            log.info("no TLS", peer=self.peer_host, reason=repr(fault))
            self.connection_lost(None)  # asyncio does not say so of a connection that is lost in its handshake
            self._hang_up()
        self.transport = self.incoming.transport = cast(asyncio.Transport, self._writer.transport)

    def shut_down(self) -> None:
        """An open transaction goes on to the end of its DATA; who is between two is told to come back."""
        self._is_ending = True
        if self._is_idle and self.state.mail is None and not self._is_over:
            self._part_with(SHUTTING_DOWN)

    def abort(self) -> None:
        if self.transport is not None:
            self.transport.abort()  # type: ignore[attr-defined]  # aiosmtpd says BaseTransport; it is a Transport

    # What follows is called by asyncio.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        stream = cast(asyncio.Transport, transport)  # uvloop's transports work alike and inherit from nothing
        self.peer_host = _host(transport.get_extra_info("peername"))
        if not self._admission.admit(self.peer_host, self.service.limits):
            log.info("too many connections", peer=self.peer_host)
            stream.write(encode(TOO_MANY_CONNECTIONS))
            stream.close()
            return
        self._is_admitted = True
        self.incoming.transport = stream
        super().connection_made(transport)
        self._connections.add(self)

    def data_received(self, data: bytes) -> None:
        if self._is_admitted:
            self.incoming.feed(data)

    def eof_received(self) -> bool | None:
        """What came before the peer closed its side is still carried out; TLS cannot answer after that."""
        self.incoming.feed_end()
        return self.tls is None and self._is_admitted

    def connection_lost(self, error: Exception | None) -> None:
        if not self._is_admitted:
            return
        self._is_admitted = False
        self.incoming.feed_end()
        self._admission.leave(self.peer_host)
        self._connections.remove(self)
        super().connection_lost(error)

    # What follows is called by aiosmtpd's loop.

    async def readuntil(self) -> bytes:
        """The next command line. The loop takes this object for its reader."""
        if self._is_over:
            self._hang_up()
        if self._is_ending and self.state.mail is None:
            await self.say(SHUTTING_DOWN)
            self._hang_up()
        limits = self.service.limits
        self._is_idle = True
        try:
            line = await self.incoming.command(limit=limits.command_bytes, auth_limit=limits.auth_bytes)
        finally:
            self._is_idle = False
        if self._is_over:  # shut down while the line was on its way
            self._hang_up()
        return line

    async def push(self, status: str | bytes) -> None:
        """One write for each reply, then a wait while the peer does not read."""
        if not status:  # handle_exception had nothing to say: the peer is gone
            self._hang_up()
        self._writer.write(status if isinstance(status, bytes) else status.encode("ascii") + b"\r\n")
        self.incoming.waiting_since = self.loop.time()
        try:
            await self._writer.drain()
        except ConnectionError:
            self._hang_up()
        finally:
            self.incoming.waiting_since = None

    async def handle_exception(self, error: Exception) -> str:
        """Whatever a command raised becomes the reply; "" when there is nobody left to hear it."""
        if isinstance(error, EndOfInput | ConnectionError):
            return ""
        reply = self._reply_to(error)
        if reply.code in _LAST_WORDS or isinstance(error, FramingLost):
            self._is_over = True
        return str(reply)

    def _reply_to(self, error: Exception) -> SmtpReply:
        if isinstance(error, Refused):
            log.info("refused", peer=self.peer_host, reply=str(error.reply))
            return TOO_MANY_ERRORS if self._is_offence(error.reply) else error.reply
        if isinstance(error, DomainError):
            reply = reply_for(error)
            log.info("refused", peer=self.peer_host, reply=str(reply), reason=error.detail)
            return reply
        log.error("smtp command failed", peer=self.peer_host, exc_info=error)
        return LOCAL_ERROR

    def _is_offence(self, reply: SmtpReply) -> bool:
        if 500 <= reply.code <= 504:
            self.offences.bad_commands += 1
        return self.offences.bad_commands > self.service.limits.bad_commands

    def _cb_client_connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:  # noqa: ARG002
        self._reader = self  # type: ignore[assignment]  # of a reader, the loop uses readuntil() alone
        self._writer = writer

    def _reset_timeout(self, duration: float | None = None) -> None:  # noqa: ARG002
        """One timer that looks now and then is cheaper than one for each command."""
        if self._timeout_handle is None:
            self._timeout_handle = self.loop.call_later(self.service.limits.wait_s, self._timeout_cb)

    def _timeout_cb(self) -> None:
        limit = self.service.limits.wait_s
        now = self.loop.time()
        since = self.incoming.waiting_since
        left = limit - (now - since) if since is not None else limit
        if left > 0:
            self._timeout_handle = self.loop.call_later(left, self._timeout_cb)
        else:
            log.info("timed out", peer=self.peer_host)
            self._part_with(TIMED_OUT)

    def _part_with(self, reply: SmtpReply) -> None:
        self._is_over = True
        if self.transport is not None and not self.transport.is_closing():
            self._writer.write(encode(reply))
            self._writer.close()

    def _hang_up(self) -> NoReturn:
        # The loop ends with its task and in no other way; what was written is still sent.
        self._writer.close()
        raise asyncio.CancelledError


class _Words:
    """Command words to what carries them out."""

    def __init__(self, connection: SmtpConnection, commands: Mapping[str, Command], unrecognised: Command) -> None:
        self._connection = connection
        self._commands = commands
        self._unrecognised = unrecognised

    def get(self, word: str) -> Callable[[str | None], Awaitable[None]]:
        return partial(self._carry_out, self._commands.get(word, self._unrecognised))

    async def _carry_out(self, command: Command, argument: str | None) -> None:
        reply = await command(self._connection, argument or "")
        if reply is not None:
            await self._connection.say(reply)


def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()


def _host(name: object) -> str:
    """The peer's address without scope; one that came mapped through an IPv6 socket as IPv4 (RFC 4291 §2.5.5.2)."""
    host = str(name[0]).partition("%")[0] if isinstance(name, tuple) and name else ""
    mapped = host.removeprefix("::ffff:")
    return mapped if "." in mapped else host
