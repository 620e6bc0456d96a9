"""The client's side of one SMTP or LMTP connection, sans-IO: commands to bytes, bytes to answers in their order.

It keeps the conversation straight (what is awaited, what may be pipelined, nothing read across STARTTLS); which command
comes next is the transport's business. RFC 5321 §4.1, RFC 2033 (LMTP), RFC 2920, RFC 3030, RFC 3207, RFC 4954.
"""

from collections import deque
from dataclasses import dataclass
from enum import Enum

from mailstack.model.address import domain_key
from mailstack.model.errors import Invalid
from mailstack.model.handling import PLAIN, UNASKED, Handling, Notification
from mailstack.wire.sasl.encoding import encode_challenge
from mailstack.wire.smtp.capability import NO_CAPABILITIES, Capabilities, parse_capabilities
from mailstack.wire.smtp.notifications import mail_parameters, rcpt_parameters
from mailstack.wire.smtp.path import write_path
from mailstack.wire.smtp.reply import ProtocolFault, Reply, ReplyLimits, ReplyParser


class Command(Enum):
    """What a reply may be the answer to."""

    GREETING = "greeting"
    EHLO = "EHLO"
    HELO = "HELO"
    LHLO = "LHLO"
    STARTTLS = "STARTTLS"
    AUTH = "AUTH"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    CONTENT = "content"
    BDAT = "BDAT"
    QUIT = "QUIT"


# RFC 2920 §3.1, RFC 3030 §4.2: only these may be followed by another command before they are answered.
_PIPELINED = frozenset({Command.MAIL, Command.RCPT, Command.BDAT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    command: Command
    reply: Reply


class SmtpClient:
    """Commands return what to send. Invalid: an argument that cannot be written; ValueError: out of order.
    is_closing: the server has said so, unasked. fault: what followed the last answer and cannot be followed."""

    def __init__(self, limits: ReplyLimits) -> None:
        self._parser = ReplyParser(limits)
        self._awaited: deque[Command] = deque([Command.GREETING])
        self._is_utf8 = False
        self._is_before_tls = False
        self.capabilities: Capabilities = NO_CAPABILITIES
        self.is_closing = False
        self.fault: ProtocolFault | None = None

    @property
    def awaited(self) -> int:
        return len(self._awaited)

    def feed(self, data: bytes) -> list[Answer]:
        """Raises ProtocolFault for what is no reply, for a reply to nothing, and for bytes after STARTTLS's.

        After other answers it is kept: a server that says too much once it has taken a mail has taken it."""
        answers: list[Answer] = []
        replies = self._parser.feed(data)
        self.fault = self.fault or self._parser.fault
        try:
            for reply in replies:
                if (answer := self._answer(reply)) is not None:
                    answers.append(answer)
        except ProtocolFault as fault:
            self.fault = fault
        if self.fault is not None and (self._is_before_tls or not answers):
            raise self.fault
        return answers

    def ehlo(self, domain: str) -> bytes:
        return self._command(Command.EHLO, b"EHLO " + _domain(domain))

    def helo(self, domain: str) -> bytes:
        return self._command(Command.HELO, b"HELO " + _domain(domain))

    def lhlo(self, domain: str) -> bytes:
        """LMTP's greeting. RFC 2033 §4.1."""
        return self._command(Command.LHLO, b"LHLO " + _domain(domain))

    def starttls(self) -> bytes:
        return self._command(Command.STARTTLS, b"STARTTLS")

    def tls_started(self) -> None:
        """Everything learned before the handshake is forgotten."""
        # RFC 3207 §4.2: the client must discard what it obtained from the server before the TLS negotiation.
        if self._parser.holds_bytes or self._awaited:
            raise ProtocolFault("bytes between the reply to STARTTLS and the handshake")
        self.capabilities = NO_CAPABILITIES

    def auth(self, mechanism: str, initial: bytes = b"") -> bytes:
        """initial: the first message of a mechanism whose client speaks first, b"" for others."""
        line = b"AUTH " + mechanism.encode("ascii")
        return self._command(Command.AUTH, line + (b" " + encode_challenge(initial) if initial else b""))

    def auth_response(self, message: bytes) -> bytes:
        """The answer to a 334."""
        return self._command(Command.AUTH, encode_challenge(message))

    def mail(
        self, reverse_path: str, *, size_bytes: int, is_8bit: bool, smtp_utf8: bool, handling: Handling = PLAIN
    ) -> bytes:
        """Parameters are written for extensions that were offered, and for no others."""
        line = b"MAIL FROM:" + write_path(reverse_path)
        if self.capabilities.size_bytes is not None:
            line += b" SIZE=%d" % size_bytes  # RFC 1870 §5
        if handling.is_binary and self.capabilities.has_binarymime:
            line += b" BODY=BINARYMIME"  # RFC 3030 §3
        elif is_8bit and self.capabilities.has_8bitmime:
            line += b" BODY=8BITMIME"  # RFC 6152 §3
        if smtp_utf8 and self.capabilities.has_smtp_utf8:
            line += b" SMTPUTF8"  # RFC 6531 §3.4
        if handling.requires_tls and self.capabilities.has_requiretls:
            line += b" REQUIRETLS"  # RFC 8689 §2
        if self.capabilities.has_dsn:
            line += mail_parameters(handling)
        self._is_utf8 = smtp_utf8 and self.capabilities.has_smtp_utf8
        return self._command(Command.MAIL, line)

    def rcpt(self, forward_path: str, notification: Notification = UNASKED) -> bytes:
        """Of the transaction that mail began."""
        line = b"RCPT TO:" + write_path(forward_path)
        if self.capabilities.has_dsn:
            line += rcpt_parameters(notification, smtp_utf8=self._is_utf8)
        return self._command(Command.RCPT, line)

    def data(self) -> bytes:
        return self._command(Command.DATA, b"DATA")

    def content(self, *, replies: int = 1) -> None:
        """The caller sends what content.write_content gives; its last dot is answered like a command. replies: RFC 2033
        §4.2: in LMTP one for each recipient that was accepted."""
        self._await(Command.CONTENT)
        self._awaited.extend([Command.CONTENT] * (replies - 1))

    def bdat(self, size_bytes: int, *, is_last: bool, replies: int = 1) -> bytes:
        """The chunk follows at once, and is answered once it is whole. replies: as of content, to the last chunk."""
        # RFC 3030 §2: bdat-cmd = "BDAT" SP chunk-size [ SP end-marker ] CR LF
        line = self._command(Command.BDAT, b"BDAT %d%b" % (size_bytes, b" LAST" if is_last else b""))
        self._awaited.extend([Command.BDAT] * (replies - 1))
        return line

    def quit(self) -> bytes:
        return self._command(Command.QUIT, b"QUIT")

    def _command(self, command: Command, line: bytes) -> bytes:
        if b"\r" in line or b"\n" in line:
            raise Invalid("a command is one line")
        self._await(command)
        return line + b"\r\n"

    def _await(self, command: Command) -> None:
        last = self._awaited[-1] if self._awaited else None
        if last is not None and not (last in _PIPELINED and self.capabilities.has_pipelining):
            raise ValueError(f"{command.value} before the answer to {last.value}")
        self._awaited.append(command)

    def _answer(self, reply: Reply) -> Answer | None:
        if not self._awaited and reply.code == 421 and not self._is_before_tls:
            # RFC 5321 §3.8: said by a server that has to close, to no command of ours. It takes nothing back of what it
            # answered before.
            self.is_closing = True
            return None
        if not self._awaited:
            raise ProtocolFault(f"a reply to no command: {reply.code}")
        command = self._awaited.popleft()
        if command in (Command.EHLO, Command.LHLO) and reply.is_positive:
            self.capabilities = parse_capabilities(reply.lines)
        self._is_before_tls = command is Command.STARTTLS
        if self._is_before_tls and self._parser.holds_bytes:
            # CVE-2011-0411: what follows in plain text must never be read as if it had come protected.
            raise ProtocolFault("bytes after the reply to STARTTLS")
        return Answer(command=command, reply=reply)


def _domain(domain: str) -> bytes:
    # RFC 5321 §4.1.1.1: ( Domain / address-literal )
    return domain_key(domain).encode("ascii")
