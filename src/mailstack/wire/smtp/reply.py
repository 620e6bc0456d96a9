"""Replies of an SMTP server, out of bytes however they were cut. RFC 5321 §4.2, RFC 2034.

What a reply means for a mail is the transport's business; here it is only read, bounded and made printable.
"""

import re
from dataclasses import dataclass

from mailstack.model.delivery import SmtpReply

MAX_TEXT_CHARACTERS = 500


class ProtocolFault(Exception):
    """The peer's bytes can no longer be followed; the connection is of no more use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyLimits:
    """RFC 5321 §4.5.3.1.5 has 512 octets a line; real servers exceed it, and EHLO has many lines."""

    line_octets: int = 4096
    lines: int = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """lines: text after the code, printable, without the enhanced status code, which is `status` ("" for none)."""

    code: int
    status: str
    lines: tuple[str, ...]

    @property
    def is_positive(self) -> bool:
        return 200 <= self.code < 300

    def as_outcome(self) -> SmtpReply:
        text = " ".join(line for line in self.lines if line)
        return SmtpReply(code=self.code, status=self.status, text=text[:MAX_TEXT_CHARACTERS])


class ReplyParser:
    """feed(bytes) -> the replies that are whole by now. Raises ProtocolFault, after which it is not fed again.

    fault: what came behind them and cannot be followed."""

    def __init__(self, limits: ReplyLimits) -> None:
        self._limits = limits
        self._buffer = bytearray()
        self._scanned = 0
        self._code = b""
        self._lines: list[bytes] = []
        self.fault: ProtocolFault | None = None

    @property
    def holds_bytes(self) -> bool:
        return bool(self._buffer or self._lines)

    def feed(self, data: bytes) -> list[Reply]:
        if self.fault is not None:
            raise self.fault
        self._buffer += data
        replies: list[Reply] = []
        try:
            while (line := self._next_line()) is not None:
                reply = self._take(line)
                if reply is not None:
                    replies.append(reply)
        except ProtocolFault as fault:
            # What was said before counts all the same: it may be that the mail was taken.
            self.fault = fault
            if not replies:
                raise
        return replies

    def _next_line(self) -> bytes | None:
        # Deviates: a bare LF ends a line too; RFC 5321 §2.3.8 wants CRLF, some servers' first line has none, and
        # nothing can be smuggled in a reply that only we read.
        end = self._buffer.find(b"\n", self._scanned)
        if end < 0:
            self._scanned = len(self._buffer)
            self._require_line_length(self._scanned)
            return None
        self._require_line_length(end)
        line = bytes(self._buffer[:end]).removesuffix(b"\r")
        del self._buffer[: end + 1]
        self._scanned = 0
        return line

    def _require_line_length(self, octets: int) -> None:
        if octets > self._limits.line_octets:
            raise ProtocolFault(f"a reply line is over {self._limits.line_octets} octets")

    def _take(self, line: bytes) -> Reply | None:
        found = _REPLY_LINE.fullmatch(line)
        if found is None:
            raise ProtocolFault("what came is no SMTP reply")
        code, more, text = found.group("code", "more", "text")
        if self._lines and code != self._code:
            raise ProtocolFault("a reply has two codes")  # RFC 5321 §4.2.1: the same on every line
        if len(self._lines) >= self._limits.lines:
            raise ProtocolFault(f"a reply has over {self._limits.lines} lines")
        self._code = code
        self._lines.append(text or b"")
        if more == b"-":
            return None
        lines, self._lines = self._lines, []
        return _reply(int(code), lines)


# RFC 5321 §4.2: Reply-line = *( Reply-code "-" [ textstring ] CRLF ) Reply-code [ SP textstring ] CRLF
#                Reply-code = %x32-35 %x30-35 %x30-39
# The second digit is taken as it comes: some servers have made up codes of their own, and the first decides.
_REPLY_LINE = re.compile(rb"(?P<code>[2-5][0-9]{2})(?:(?P<more>[ -])(?P<text>.*))?", re.DOTALL)

# RFC 3463 §2: status-code = class "." subject "." detail
_STATUS = re.compile(r"(?P<class>[245])\.[0-9]{1,3}\.[0-9]{1,3}(?= |$)")


def _reply(code: int, raw_lines: list[bytes]) -> Reply:
    lines = [_printable(line) for line in raw_lines]
    found = _STATUS.match(lines[0])
    # RFC 2034 §4: the class of the status is the first digit of the code; another one is mere text.
    if found is None or found["class"] != str(code)[0]:
        return Reply(code=code, status="", lines=tuple(lines))
    status = found[0]
    # RFC 2034 §4: every line of the reply repeats it.
    bare = tuple(line.removeprefix(status).lstrip(" ") for line in lines)
    return Reply(code=code, status=status, lines=bare)


def _printable(text: bytes) -> str:
    """One line that is safe in a log, a header and a bounce."""
    decoded = text.decode("utf-8", "replace")
    return decoded if decoded.isprintable() else "".join(c if c.isprintable() else "?" for c in decoded)
