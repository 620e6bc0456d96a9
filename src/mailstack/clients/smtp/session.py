"""One connection to one server: the sans-IO client bound to a stream, with a deadline on every answer.

Which commands are sent is connect's and transaction's business. RFC 5321 §4.5.3.2 (timeouts).
"""

import asyncio
import ssl
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, replace

from mailstack.model.delivery import SmtpReply
from mailstack.model.source import Source
from mailstack.model.tls_policy import TlsFailure, TlsUsed
from mailstack.net.peer_chain import peer_chain
from mailstack.net.stream import Stream
from mailstack.wire.smtp.client import Answer, SmtpClient
from mailstack.wire.smtp.reply import ProtocolFault, Reply, ReplyLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds. RFC 5321 §4.5.3.2 sets the least for each; `whole_s` bounds them together."""

    connect_s: float = 30
    tls_s: float = 60
    greeting_s: float = 300  # RFC 5321 §4.5.3.2.1
    command_s: float = 300  # §4.5.3.2.2 MAIL, §4.5.3.2.3 RCPT
    data_s: float = 120  # §4.5.3.2.4
    block_s: float = 180  # §4.5.3.2.5
    end_s: float = 600  # §4.5.3.2.6
    quit_s: float = 5
    whole_s: float = 1800


class Fault(Exception):
    """reply: what is recorded about it. tls: what there was of it by then, None where that is not known; source
    likewise."""

    def __init__(self, reply: SmtpReply, tls: TlsUsed | None = None, source: Source | None = None) -> None:
        super().__init__(str(reply))
        self.reply = reply
        self.tls = tls
        self.source = source


class Unreached(Fault):
    """No server took part: no address, no connection, no greeting, no TLS where it must be."""


class TurnedAway(Fault):
    """The server answered, and will not talk on."""


class Lost(Fault):
    """The conversation cannot go on: closed, timed out, or no SMTP.

    code: 421 where the server went as if it had said so, and nothing can be left with it: another may be asked.
    """

    def __init__(self, detail: str, *, status: str = "4.4.2", code: int = 451) -> None:
        super().__init__(SmtpReply(code=code, status=status, text=detail))


class HandshakeFailed(Lost):
    """TLS did not come about; the connection is closed."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, status="4.7.5")


class Session:
    """mails: taken over it so far. tls_used: so far. chosen: what it was to leave from."""

    def __init__(
        self, stream: Stream, timeouts: Timeouts, limits: ReplyLimits, *, tls_used: TlsUsed, chosen: Source
    ) -> None:
        self._stream = stream
        self._answers: deque[Answer] = deque()
        self.timeouts = timeouts
        self.client = SmtpClient(limits)
        self.mails = 0
        self.tls_used = tls_used
        self.chosen = chosen

    @property
    def source(self) -> Source | None:
        """What it leaves from, whoever chose it; None through a socket of this machine."""
        address = self._stream.local[0]
        return Source(address, self.chosen.name) if address else None

    @property
    def peer_host(self) -> str:
        return self._stream.peer[0]

    @property
    def has_tls(self) -> bool:
        return self._stream.tls is not None

    @property
    def is_quiet(self) -> bool:
        """Nothing is awaited, and nothing has come unasked."""
        client = self.client
        is_heard = not (client.awaited or client.is_closing or client.fault or self._answers)
        return is_heard and self._stream.is_quiet

    @property
    def certificate(self) -> bytes | None:
        """The one that the server showed, DER; None without TLS."""
        return None if self._stream.tls is None else self._stream.tls.getpeercert(binary_form=True)

    @property
    def chain(self) -> tuple[bytes, ...]:
        """All that it showed, DER, its own first; none without TLS."""
        return () if self._stream.tls is None else peer_chain(self._stream.tls)

    async def command(self, line: bytes, *, timeout_s: float | None = None) -> Reply:
        await self.send(line)
        return await self.answer(timeout_s=timeout_s)

    async def send(self, *chunks: bytes) -> None:
        try:
            await self._stream.write(*chunks, timeout_s=self.timeouts.block_s)
        except OSError as fault:
            raise Lost(f"while sending: {_reason(fault)}", code=_code(fault)) from fault

    async def answer(self, *, timeout_s: float | None = None) -> Reply:
        """The next one, complete within its deadline; a reply that drips does not prolong it."""
        deadline_s = self.timeouts.command_s if timeout_s is None else timeout_s
        try:
            async with asyncio.timeout(deadline_s):
                while not self._answers:
                    if self.client.fault is not None:
                        raise self.client.fault
                    await self._read(deadline_s)
        except OSError as fault:
            raise Lost(f"while waiting for a reply: {_reason(fault)}", code=_code(fault)) from fault
        except ProtocolFault as fault:
            raise Lost(str(fault), status="4.5.0") from fault
        return self._answers.popleft().reply

    async def start_tls(self, context: ssl.SSLContext, server_hostname: str) -> None:
        try:
            await self._stream.start_tls(context, timeout_s=self.timeouts.tls_s, server_hostname=server_hostname)
        except (OSError, ValueError) as fault:  # ValueError: a host name out of DNS that TLS cannot carry
            self.abort()
            self.note_failure(_failure(fault))
            raise HandshakeFailed(f"TLS handshake: {_reason(fault)}") from fault
        if (tls := self._stream.tls) is not None:
            cipher = (tls.cipher() or ("",))[0]
            self.tls_used = replace(self.tls_used, version=tls.version() or "", cipher=cipher)

    def note_failure(self, failure: TlsFailure | None) -> None:
        self.tls_used = replace(self.tls_used, failure=failure)

    async def quit(self) -> None:
        """As polite as it goes. Swallows a cancellation: the mail has its outcomes already, and who waits for them must
        hear them, or the mail would be sent a second time."""
        with suppress(asyncio.CancelledError):
            await self.leave()

    async def leave(self) -> None:
        """As quit, where no mail has been spoken of: a cancellation counts."""
        try:
            if not self.client.awaited:
                await self.command(self.client.quit(), timeout_s=self.timeouts.quit_s)
            await self._stream.close()
        except Lost:
            self.abort()
        except asyncio.CancelledError:
            self.abort()
            raise

    def abort(self) -> None:
        self._stream.abort()

    async def _read(self, timeout_s: float) -> None:
        data = await self._stream.read(timeout_s=timeout_s)
        if not data:
            raise ConnectionResetError("the server closed the connection")
        self._answers.extend(self.client.feed(data))


def _code(fault: OSError) -> int:
    # A server that lets us wait does so at all of its hosts, and minutes at each; only one that went is passed over.
    return 421 if isinstance(fault, ConnectionError) else 451


def _failure(fault: OSError | ValueError) -> TlsFailure:
    # RFC 8460 §4.3.1; what is neither of the certificate's name nor of its dates is a matter of trust.
    if isinstance(fault, ssl.SSLCertVerificationError):
        return _VERIFY_FAILURES.get(fault.verify_code, TlsFailure.CERTIFICATE_NOT_TRUSTED)
    return TlsFailure.VALIDATION_FAILURE


# OpenSSL's X509_V_ERR_CERT_HAS_EXPIRED, _HOSTNAME_MISMATCH, _IP_ADDRESS_MISMATCH.
_VERIFY_FAILURES = {
    10: TlsFailure.CERTIFICATE_EXPIRED,
    62: TlsFailure.CERTIFICATE_HOST_MISMATCH,
    64: TlsFailure.CERTIFICATE_HOST_MISMATCH,
}


def _reason(fault: OSError | ValueError) -> str:
    if isinstance(fault, ssl.SSLCertVerificationError):
        return f"certificate not trusted: {fault.verify_message.rstrip('.')}"
    if isinstance(fault, ssl.SSLError):
        return f"TLS: {fault.reason or 'failed'}"
    if isinstance(fault, TimeoutError):
        return "timed out"
    return (fault.strerror if isinstance(fault, OSError) else None) or str(fault) or type(fault).__name__
