"""One SMTP connection from greeting to goodbye: an aiosmtpd protocol whose command loop is this module's own.

Lines come from Incoming, commands are one module each, listed in server.py; here faults become replies, deadlines are
kept, and the end comes. Of aiosmtpd, the life of the protocol and its task is left: its loop spends more on hooks and
logs that are not used here than our commands on their work. RFC 5321 §3, §4.2, §4.5.3.2.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping
from typing import NoReturn, cast

import structlog
from aiosmtpd.smtp import SMTP

from mailstack.model.conduct import Offence
from mailstack.model.delivery import SmtpReply
from mailstack.model.errors import DomainError
from mailstack.model.instant import iso
from mailstack.model.principal import Account
from mailstack.net.admission import Entrance, host_of
from mailstack.net.connections import Connections
from mailstack.servers.smtp.errors import reply_for
from mailstack.servers.smtp.incoming import EndOfInput, Incoming
from mailstack.servers.smtp.replies import (
    BARE_CR_OR_LF,
    BARE_LINE_FEED,
    LOCAL_ERROR,
    PEER_NOT_ALLOWED,
    SHUTTING_DOWN,
    TIMED_OUT,
    TOO_MANY_CONNECTIONS,
    TOO_MANY_ERRORS,
    TOO_MANY_OF_ACCOUNT,
    FramingLost,
    Refused,
    banned,
    encode,
)
from mailstack.servers.smtp.service import SmtpRole, SmtpService
from mailstack.servers.smtp.session import Offences, Session

Command = Callable[["SmtpConnection", str], Awaitable[SmtpReply | None]]
"""Takes the argument without the command word; returns the reply, or None when it has said all itself."""

_LAST_WORDS = (221, 421)
"""RFC 5321 §3.8: the server closes the channel after these."""
_SMUGGLING = (BARE_LINE_FEED, BARE_CR_OR_LF)
"""How mail is hidden in other mail; a sender that is only broken does it too, and is banned once it goes on."""

log = structlog.get_logger()


class SmtpConnection(SMTP):
    def __init__(
        self,
        service: SmtpService,
        role: SmtpRole,
        *,
        commands: Mapping[str, Command],
        unrecognised: Command,
        may_connect: Callable[[str], bool],
        connections: Connections,
        entrance: Entrance,
    ) -> None:
        super().__init__(
            None,
            hostname=service.hostname,
            ident="LMTP" if role is SmtpRole.LMTP else "ESMTP",
            enable_SMTPUTF8=True,
            loop=_loop(),
        )
        self.service = service
        self.role = role
        self.incoming = Incoming(self.loop)
        self.peer_host = ""
        self.state = Session()
        self.offences = Offences()
        self._may_connect = may_connect
        self._connections = connections
        self._place = entrance.place(self.part)
        self._is_admitted = False
        self._is_idle = False
        self._leaving = asyncio.Event()
        self._farewell: SmtpReply | None = None
        self._is_over = False
        self._commands = commands
        self._unrecognised = unrecognised

    @property
    def tls(self) -> ssl.SSLObject | None:
        found: ssl.SSLObject | None = self.transport.get_extra_info("ssl_object") if self.transport else None
        return found

    @property
    def is_secure(self) -> bool:
        """May secrets be sent here."""
        return self.tls is not None or self.service.plaintext_is_secure(self.peer_host)

    def log_in(self, account: Account) -> bool:
        """False: it has enough connections already."""
        limits = self.service.limits
        if not self._place.take_as_account(
            account.account_id, limit=limits.connections_per_account, total=limits.connections
        ):
            log.info("too many connections", peer=self.peer_host, account=account.login)
            return False
        self.state.account = account
        return True

    async def say(self, reply: SmtpReply) -> None:
        if reply.code in _LAST_WORDS:
            self._is_over = True
        await self.push(encode(reply))

    async def push(self, octets: str | bytes) -> None:
        """One write for each reply, then a wait while the peer does not read. Bytes always; str is aiosmtpd's word."""
        if isinstance(octets, str):
            octets = octets.encode("ascii")
        writer = self._writer
        writer.write(octets)
        # What drain() would find out, without its coroutines: nearly every reply leaves at once.
        if not self._paused and not writer.transport.is_closing():  # type: ignore[attr-defined]  # the flag behind drain()
            return
        self.incoming.waiting_since = self.loop.time()
        try:
            await writer.drain()
        except ConnectionError:
            self._hang_up()
        finally:
            self.incoming.waiting_since = None

    async def hold_up(self) -> None:
        """For trying out recipients; until this server ends at the latest. Raises Refused."""
        tarpit, limits = self.service.tarpit, self.service.limits
        await tarpit.hold(self.offences.unknown_recipients, limits, self._leaving)

    async def switch_to_tls(self, context: ssl.SSLContext) -> None:
        """Forgets what was said before and what was sent ahead (CVE-2011-0411), then shakes hands or hangs up."""
        self.state.end_transaction()
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
        self._end_with(SHUTTING_DOWN)

    def part(self) -> None:
        """The peer, which came to all nodes at once, has more connections than it may have on all of them."""
        self._end_with(TOO_MANY_CONNECTIONS if self.state.account is None else TOO_MANY_OF_ACCOUNT)

    def abort(self) -> None:
        if self.transport is not None:
            self.transport.abort()  # type: ignore[attr-defined]  # aiosmtpd says BaseTransport; it is a Transport

    # What follows is called by asyncio.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        stream = cast(asyncio.Transport, transport)  # uvloop's transports work alike and inherit from nothing
        # Known already where a proxy connects for somebody.
        self.peer_host = self.peer_host or host_of(transport.get_extra_info("peername"))
        ban = self.service.conduct.ban_of(self.peer_host)
        if ban is not None:
            log.info("banned", peer=self.peer_host, until=iso(ban.until))
            stream.write(encode(banned(ban.until)))
            stream.close()
            return
        limits = self.service.limits
        if not self._may_connect(self.peer_host):
            log.info("peer not allowed", peer=self.peer_host, service=self.role.value)
            stream.write(encode(PEER_NOT_ALLOWED))
            stream.close()
            return
        if not self._place.take_as_stranger(self.peer_host, limit=limits.connections_per_ip, total=limits.connections):
            log.info("too many connections", peer=self.peer_host)
            stream.write(encode(TOO_MANY_CONNECTIONS))
            stream.close()
            return
        self._is_admitted = True
        self.incoming.transport = stream
        if self.role is SmtpRole.MX:
            self.service.inbound.greet(self.peer_host)
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
        self._place.leave()
        self._connections.remove(self)
        super().connection_lost(error)

    async def _handle_client(self) -> None:
        """The command loop; aiosmtpd makes a task of it, which ends by being cancelled: see _hang_up."""
        try:
            await self.push(f"220 {self.hostname} {self.__ident__}\r\n".encode("ascii"))
            while True:
                await self._one_command()
        finally:
            self.state.end_transaction()

    async def _one_command(self) -> None:
        try:
            line = await self._next_line()
            reply = await self._carry_out(line)
        except (EndOfInput, ConnectionError):
            self._hang_up()
        except Exception as fault:  # noqa: BLE001  # each is logged, and the peer hears of it
            await self._answer_fault(fault)
        else:
            if reply is not None:
                await self.say(reply)

    async def _next_line(self) -> bytes:
        if self._is_over:
            self._hang_up()
        if self._farewell is not None and self.state.mail is None:
            await self.say(self._farewell)
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

    def _carry_out(self, line: bytes) -> Awaitable[SmtpReply | None]:
        """line: as Incoming.command gives it: an ASCII word, then octets that may be anything but CR, LF and NUL."""
        word, _, argument = line[:-2].partition(b" ")
        command = self._commands.get(word.decode("ascii").upper(), self._unrecognised)
        return command(self, argument.strip().decode("utf-8", "surrogateescape"))

    async def _answer_fault(self, fault: Exception) -> None:
        """Whatever a command raised becomes the reply."""
        reply = self.reply_to(fault)
        if isinstance(fault, FramingLost):
            self._is_over = True
        await self.say(reply)

    def reply_to(self, error: Exception) -> SmtpReply:
        """Logged here."""
        if isinstance(error, Refused):
            log.info("refused", peer=self.peer_host, reply=str(error.reply))
            if not self._is_offence(error.reply):
                return error.reply
            self.service.conduct.note(self.peer_host, Offence.PROTOCOL_ABUSE)
            return error.reply if error.reply in _SMUGGLING else TOO_MANY_ERRORS
        if isinstance(error, DomainError):
            reply = reply_for(error)
            log.info("refused", peer=self.peer_host, reply=str(reply), reason=error.detail)
            return reply
        log.error("smtp command failed", peer=self.peer_host, exc_info=error)
        return LOCAL_ERROR

    def _is_offence(self, reply: SmtpReply) -> bool:
        if reply in _SMUGGLING:
            return True
        if 500 <= reply.code <= 504:
            self.offences.bad_commands += 1
        return self.offences.bad_commands > self.service.limits.bad_commands

    def _cb_client_connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:  # noqa: ARG002
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

    def _end_with(self, reply: SmtpReply) -> None:
        """An open transaction goes on to the end of its DATA; who is between two is told to come back."""
        self._leaving.set()
        self._farewell = reply
        if self._is_idle and self.state.mail is None and not self._is_over:
            self._part_with(reply)

    def _part_with(self, reply: SmtpReply) -> None:
        self._is_over = True
        if self.transport is not None and not self.transport.is_closing():
            self._writer.write(encode(reply))
            self._writer.close()

    def _hang_up(self) -> NoReturn:
        # The loop ends with its task and in no other way; what was written is still sent.
        self._writer.close()
        raise asyncio.CancelledError


def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()
