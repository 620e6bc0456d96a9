"""Lines and counted octets out of chunks. Knows CRLF and `{n}` at the end of a line, and no command.

RFC 9051 §2.2.1, §4.3, RFC 3501 §4.3, RFC 7888 (LITERAL+).
"""

import re
from dataclasses import dataclass

from mailstack.wire.imap.faults import ProtocolFault

# RFC 9051 §9: literal = "{" number64 ["+"] "}" CRLF *CHAR8; literal8 = "~{" …
_LITERAL = re.compile(rb"(~?)\{([0-9]{1,19})(\+?)\}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """at: where in its line it starts. is_synchronizing: the client waits for a continuation request first."""

    at: int
    size_octets: int
    is_synchronizing: bool
    is_binary: bool


def announced_literal(line: bytes) -> Announced | None:
    """line: without CRLF."""
    if not line.endswith(b"}"):
        return None
    found = _LITERAL.search(line, max(0, len(line) - 24))
    if found is None:
        return None
    tilde, digits, plus = found.groups()
    return Announced(at=found.start(), size_octets=int(digits), is_synchronizing=not plus, is_binary=bool(tilde))


class Framer:
    """Holds at most one line and the last chunk fed. The limit may be changed between two lines."""

    def __init__(self, line_octets: int) -> None:
        self.line_octets = line_octets
        self._buffer = bytearray()
        self._scanned = 0

    def feed(self, data: bytes) -> None:
        self._buffer += data

    def drop(self) -> None:
        """Forgets what has come and was not yet taken."""
        self._buffer.clear()
        self._scanned = 0

    def line(self) -> bytes | None:
        """The next line without CRLF, None while it is not whole. Raises ProtocolFault."""
        end = self._buffer.find(b"\n", self._scanned)
        if (end if end >= 0 else len(self._buffer)) > self.line_octets:
            raise ProtocolFault("line too long")
        if end < 0:
            self._scanned = len(self._buffer)
            return None
        if not end or self._buffer[end - 1] != 0x0D:
            # RFC 9051 §2.2: all lines end in CRLF. Guessing where a lone LF ends one is how smuggling starts.
            raise ProtocolFault("lines end in CRLF")
        line = bytes(self._buffer[: end - 1])
        del self._buffer[: end + 1]
        self._scanned = 0
        return line

    def octets(self, at_most: int) -> bytes:
        """What has come, up to at_most; b"" when nothing has."""
        taken = bytes(self._buffer[:at_most])
        del self._buffer[: len(taken)]
        return taken
