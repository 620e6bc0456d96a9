"""Lines and counted octets out of chunks: IMAP (RFC 9051 §2.2.1), ManageSieve (RFC 5804 §1.2). Knows no command."""


class ProtocolFault(Exception):
    """Framing or a limit is lost: the server says BYE with this text and closes."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


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
            # RFC 9051 §2.2, RFC 5804 §4: lines end in CRLF. Guessing where a lone LF ends one is how smuggling starts.
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
