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
from mailstack.model.log_events import Outcome, TurnedAwayEvent, TurnedAwayReason
from mailstack.model.principal import Account
from mailstack.net.admission import Entrance, host_of
from mailstack.net.connections import Connections
from mailstack.servers.smtp.errors import reply_for
from mailstack.servers.smtp.incoming import EndOfInput, Incoming
from mailstack.servers.smtp.replies import (
    BAD_SEQUENCE,
    BARE_CR_OR_LF,
    BARE_LINE_FEED,
    LOCAL_ERROR,
    PEER_NOT_ALLOWED,
    SHUTTING_DOWN,
    TALKED_EARLY,
    TIMED_OUT,
    TOO_MANY_CONNECTIONS,
    TOO_MANY_ERRORS,
    TOO_MANY_OF_ACCOUNT,
    FramingLost,
    Refused,
    banned,
    encode,
    with_trace,
)
from mailstack.servers.smtp.service import SmtpRole, SmtpService
from mailstack.servers.smtp.session import Offences, Session
from mailstack.servers.smtp.transaction import BUG, PROTOCOL, Answer, Speaker, Transaction, words_of
from mailstack.services.inbound.mail import InboundMail

Command = Callable[["SmtpConnection", str], Awaitable[SmtpReply | None]]
"""Takes the argument without the command word; returns the reply, or None when it has said all itself."""

TRACE_ID_BYTES = 8
FIRST_REFUSAL = 400

_LAST_WORDS = (221, 421)
"""RFC 5321 §3.8: the server closes the channel after these."""
TURNS_TO_READ = 2
"""Of the event loop, until it has read what lay in a new socket already."""
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
        self.transaction: Transaction | None = None
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
    def mail(self) -> InboundMail | None:
        """What is known of the transaction that is open."""
        return None if self.transaction is None else self.transaction.mail

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

    def begin_transaction(self) -> Transaction:
        """Raises Refused within another one. RFC 5321 §4.1.4."""
        if self.transaction is not None:
            raise Refused(BAD_SEQUENCE)
        account, tls = self.state.account, self.tls
        self.transaction = Transaction(
            trace_id=self.service.token(TRACE_ID_BYTES).hex(),
            began=self.loop.time(),
            speaker=Speaker(
                service=self.role.value,
                peer_host=self.peer_host,
                ehlo_domain=self.state.ehlo_domain,
                tls_version="" if tls is None else tls.version() or "",
                tls_cipher="" if tls is None else (tls.cipher() or ("",))[0],
                login="" if account is None else account.login,
            ),
        )
        return self.transaction

    def drop_transaction(self, by: str) -> None:
        """by: the command that ends it, if there is one."""
        if self.transaction is not None:
            self.transaction.ended_by = by
            self.transaction.finish()

    def traced(self, reply: SmtpReply) -> SmtpReply:
        """A refusal within a transaction carries its id."""
        if self.transaction is None or reply.code < FIRST_REFUSAL:
            return reply
        self.transaction.is_named = True
        return with_trace(reply, self.transaction.trace_id)

    def tell_of_what_is_over(self) -> None:
        transaction = self.transaction
        if transaction is None or not (transaction.is_over or transaction.mail is None):
            return
        self.transaction = None
        event = transaction.event(self.loop.time())
        if event.outcome is Outcome.ABANDONED and not transaction.is_named:
            self.service.teller.tell_if_rare(event)  # nobody can ask for it
        else:
            self.service.teller.tell(event)

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
        self.drop_transaction("STARTTLS")
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
            self._turn_away(stream, TurnedAwayReason.BANNED, banned(ban.until))
            return
        limits = self.service.limits
        if not self._may_connect(self.peer_host):
            self._turn_away(stream, TurnedAwayReason.NOT_ALLOWED, PEER_NOT_ALLOWED)
            return
        if not self._place.take_as_stranger(self.peer_host, limit=limits.connections_per_ip, total=limits.connections):
            self._turn_away(stream, TurnedAwayReason.TOO_MANY_CONNECTIONS, TOO_MANY_CONNECTIONS)
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

    def _turn_away(self, stream: asyncio.Transport, reason: TurnedAwayReason, reply: SmtpReply) -> None:
        stream.write(encode(reply))
        stream.close()
        self._tell_of_turned_away(reason, reply)

    def _tell_of_turned_away(self, reason: TurnedAwayReason, reply: SmtpReply) -> None:
        self.service.teller.tell_if_rare(
            TurnedAwayEvent(service=self.role.value, peer=self.peer_host, reason=reason, reply=str(reply))
        )

    async def _handle_client(self) -> None:
        """The command loop; aiosmtpd makes a task of it, which ends by being cancelled: see _hang_up."""
        try:
            if await self._talks_early():
                self._tell_of_turned_away(TurnedAwayReason.SPOKE_EARLY, TALKED_EARLY)
                self.service.conduct.note(self.peer_host, Offence.PROTOCOL_ABUSE)
                await self.say(TALKED_EARLY)
                self._hang_up()
            await self.push(f"220 {self.hostname} {self.__ident__}\r\n".encode("ascii"))
            while True:
                await self._one_command()
        finally:
            if self.transaction is not None:
                self.transaction.finish()
                self.tell_of_what_is_over()

    async def _talks_early(self) -> bool:
        """RFC 5321 §4.3.1: who sends waits for the greeting; what sends spam often does not. Nobody is kept waiting to
        find out: what has come by now is read, and no more."""
        if self.role is not SmtpRole.MX or not self.service.conduct.watches(self.peer_host):
            return False
        for _ in range(TURNS_TO_READ):
            await asyncio.sleep(0)
        return len(self.incoming) > 0

    async def _one_command(self) -> None:
        word = argument = ""
        try:
            word, argument = _divided(await self._next_line())
            reply = await self._commands.get(word, self._unrecognised)(self, argument)
        except (EndOfInput, ConnectionError):
            self._hang_up()
        except Exception as fault:  # noqa: BLE001  # each is logged, and the peer hears of it
            answer = self.answer_to(fault)
            self._note(word, argument, answer)
            self._is_over = self._is_over or isinstance(fault, FramingLost)
            reply = answer.reply
        if reply is not None:
            reply = self.traced(reply)
        self.tell_of_what_is_over()
        if reply is not None:
            await self.say(reply)

    async def _next_line(self) -> bytes:
        if self._is_over:
            self._hang_up()
        if self._farewell is not None and self.transaction is None:
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

    def answer_to(self, error: Exception) -> Answer:
        """Whatever a command raised becomes a reply; a bug is logged here."""
        if isinstance(error, Refused):
            reply = error.reply
            if self._is_offence(reply):
                self.service.conduct.note(self.peer_host, Offence.PROTOCOL_ABUSE)
                reply = reply if reply in _SMUGGLING else TOO_MANY_ERRORS
            return Answer(reply=reply, reason=error.reason or PROTOCOL, detail=error.detail)
        if isinstance(error, DomainError):
            return Answer(reply=reply_for(error), reason=words_of(type(error).__name__), detail=error.detail)
        log.error("smtp command failed", peer=self.peer_host, exc_info=error, **self._trace())
        return Answer(reply=LOCAL_ERROR, reason=BUG)

    def _note(self, word: str, argument: str, answer: Answer) -> None:
        """What concerns the mail is told with it, at its end; all else in a line of its own."""
        transaction = self.transaction
        match word:
            case "MAIL" if transaction is not None and transaction.mail is None:
                transaction.sender_refused(argument, answer)
            case "RCPT" if transaction is not None:
                transaction.recipient_refused(argument, answer)
            case "DATA" | "BDAT" if transaction is not None:
                transaction.message_refused(answer)
            case _:
                log.info("refused", peer=self.peer_host, reply=str(answer.reply), **self._trace())

    def _trace(self) -> dict[str, str]:
        """For a line that is not the transaction's event."""
        return {} if self.transaction is None else {"trace": self.transaction.trace_id}

    def _is_offence(self, reply: SmtpReply) -> bool:
        if reply in _SMUGGLING:
            return self._is_first_of_its_mail()
        # Of LMTP it is part of the way that a client sends DATA ahead, which is told 503 where nobody takes the mail.
        if 500 <= reply.code <= 504 and self.role is not SmtpRole.LMTP:
            self.offences.bad_commands += 1
        return self.offences.bad_commands > self.service.limits.bad_commands

    def _is_first_of_its_mail(self) -> bool:
        """Of a message in chunks, each that was sent ahead hears of the same fault."""
        if self.transaction is None:
            return True
        is_known, self.transaction.has_bare_line_end = self.transaction.has_bare_line_end, True
        return not is_known

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
            if self.transaction is None:
                log.info("timed out", peer=self.peer_host)
            else:
                self.transaction.ended_by = "timed out"
            self._part_with(self.traced(TIMED_OUT))

    def _end_with(self, reply: SmtpReply) -> None:
        """An open transaction goes on to the end of its DATA; who is between two is told to come back."""
        self._leaving.set()
        self._farewell = reply
        if self._is_idle and self.transaction is None and not self._is_over:
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


def _divided(line: bytes) -> tuple[str, str]:
    """Word and argument. line: as Incoming.command gives it: an ASCII word, then octets that may be anything but CR, LF
    and NUL."""
    word, _, argument = line[:-2].partition(b" ")
    return word.decode("ascii").upper(), argument.strip().decode("utf-8", "surrogateescape")


def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()
