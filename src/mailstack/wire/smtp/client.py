"""The client's side of one SMTP connection, sans-IO: commands to bytes, bytes to answers in their order.

It keeps the conversation straight (what is awaited, what may be pipelined, nothing read across STARTTLS); which command
comes next is the transport's business. RFC 5321 §4.1, RFC 2920, RFC 3207, RFC 4954.
"""

import base64
from collections import deque
from dataclasses import dataclass
from enum import Enum

from mailstack.model.address import domain_key
from mailstack.model.delivery import Credentials
from mailstack.model.errors import Invalid
from mailstack.wire.smtp.capability import NO_CAPABILITIES, Capabilities, parse_capabilities
from mailstack.wire.smtp.path import write_path
from mailstack.wire.smtp.reply import ProtocolFault, Reply, ReplyLimits, ReplyParser


class Command(Enum):
    """What a reply may be the answer to."""

    GREETING = "greeting"
    EHLO = "EHLO"
    HELO = "HELO"
    STARTTLS = "STARTTLS"
    AUTH = "AUTH"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    CONTENT = "content"
    QUIT = "QUIT"


# RFC 2920 §3.1: only these may be followed by another command before they are answered.
_PIPELINED = frozenset({Command.MAIL, Command.RCPT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    command: Command
    reply: Reply


class SmtpClient:
    """Commands return what to send. Invalid: an argument that cannot be written; ValueError: out of order."""

    def __init__(self, limits: ReplyLimits) -> None:
        self._parser = ReplyParser(limits)
        self._awaited: deque[Command] = deque([Command.GREETING])
        self.capabilities: Capabilities = NO_CAPABILITIES

    @property
    def awaited(self) -> int:
        return len(self._awaited)

    def feed(self, data: bytes) -> list[Answer]:
        """Raises ProtocolFault for what is no reply, for a reply to nothing, and for bytes after STARTTLS's."""
        return [self._answer(reply) for reply in self._parser.feed(data)]

    def ehlo(self, domain: str) -> bytes:
        return self._command(Command.EHLO, b"EHLO " + _domain(domain))

    def helo(self, domain: str) -> bytes:
        return self._command(Command.HELO, b"HELO " + _domain(domain))

    def starttls(self) -> bytes:
        return self._command(Command.STARTTLS, b"STARTTLS")

    def tls_started(self) -> None:
        """Everything learned before the handshake is forgotten."""
        # RFC 3207 §4.2: the client must discard what it obtained from the server before the TLS negotiation.
        if self._parser.holds_bytes or self._awaited:
            raise ProtocolFault("bytes between the reply to STARTTLS and the handshake")
        self.capabilities = NO_CAPABILITIES

    def auth_plain(self, credentials: Credentials) -> bytes:
        # RFC 4616 §2: message = [authzid] UTF8NUL authcid UTF8NUL passwd; RFC 4954 §4: as an initial response
        if "\0" in credentials.username + credentials.password:
            raise Invalid("credentials must not hold NUL")
        message = f"\0{credentials.username}\0{credentials.password}".encode()
        return self._command(Command.AUTH, b"AUTH PLAIN " + base64.b64encode(message))

    def auth_login(self) -> bytes:
        return self._command(Command.AUTH, b"AUTH LOGIN")

    def auth_response(self, text: str) -> bytes:
        """The answer to a 334."""
        return self._command(Command.AUTH, base64.b64encode(text.encode()))

    def mail(self, reverse_path: str, *, size_bytes: int, is_8bit: bool, smtp_utf8: bool) -> bytes:
        """Parameters are written for extensions that were offered, and for no others."""
        line = b"MAIL FROM:" + write_path(reverse_path)
        if self.capabilities.size_bytes is not None:
            line += b" SIZE=%d" % size_bytes  # RFC 1870 §5
        if is_8bit and self.capabilities.has_8bitmime:
            line += b" BODY=8BITMIME"  # RFC 6152 §3
        if smtp_utf8 and self.capabilities.has_smtp_utf8:
            line += b" SMTPUTF8"  # RFC 6531 §3.4
        return self._command(Command.MAIL, line)

    def rcpt(self, forward_path: str) -> bytes:
        return self._command(Command.RCPT, b"RCPT TO:" + write_path(forward_path))

    def data(self) -> bytes:
        return self._command(Command.DATA, b"DATA")

    def content(self) -> None:
        """The caller sends what content.write_content gives; its last dot is answered like a command."""
        self._await(Command.CONTENT)

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

    def _answer(self, reply: Reply) -> Answer:
        if not self._awaited:
            raise ProtocolFault(f"a reply to no command: {reply.code}")
        command = self._awaited.popleft()
        if command is Command.EHLO and reply.is_positive:
            self.capabilities = parse_capabilities(reply.lines)
        if command is Command.STARTTLS and self._parser.holds_bytes:
            # CVE-2011-0411: what follows in plain text must never be read as if it had come protected.
            raise ProtocolFault("bytes after the reply to STARTTLS")
        return Answer(command=command, reply=reply)


def _domain(domain: str) -> bytes:
    # RFC 5321 §4.1.1.1: ( Domain / address-literal )
    return domain_key(domain).encode("ascii")
