"""One connection to one server: the sans-IO client bound to a stream, with a deadline on every answer.

Which commands are sent is connect's and transaction's business. RFC 5321 §4.5.3.2 (timeouts).
"""

import asyncio
import ssl
from collections import deque
from dataclasses import dataclass

from mailstack.model.delivery import SmtpReply
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


class Lost(Exception):
    """The conversation cannot go on: closed, timed out, or no SMTP. reply: what is recorded about it.

    code: 421 where the server went as if it had said so, and nothing can be left with it: another may be asked.
    """

    def __init__(self, detail: str, *, status: str = "4.4.2", code: int = 451) -> None:
        super().__init__(detail)
        self.reply = SmtpReply(code=code, status=status, text=detail)


class HandshakeFailed(Lost):
    """TLS did not come about; the connection is closed."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, status="4.7.5")


class Session:
    def __init__(self, stream: Stream, timeouts: Timeouts, limits: ReplyLimits) -> None:
        self._stream = stream
        self._answers: deque[Answer] = deque()
        self.timeouts = timeouts
        self.client = SmtpClient(limits)

    @property
    def peer_host(self) -> str:
        return self._stream.peer[0]

    @property
    def has_tls(self) -> bool:
        return self._stream.tls is not None

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
            raise HandshakeFailed(f"TLS handshake: {_reason(fault)}") from fault

    async def quit(self) -> None:
        """As polite as it goes. Swallows a cancellation: the mail has its outcomes already, and who waits for them must
        hear them, or the mail would be sent a second time."""
        try:
            if not self.client.awaited:
                await self.command(self.client.quit(), timeout_s=self.timeouts.quit_s)
            await self._stream.close()
        except (Lost, asyncio.CancelledError):
            self.abort()

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


def _reason(fault: OSError | ValueError) -> str:
    if isinstance(fault, ssl.SSLCertVerificationError):
        return f"certificate not trusted: {fault.verify_message}"
    if isinstance(fault, ssl.SSLError):
        return f"TLS: {fault.reason or 'failed'}"
    if isinstance(fault, TimeoutError):
        return "timed out"
    return (fault.strerror if isinstance(fault, OSError) else None) or str(fault) or type(fault).__name__
