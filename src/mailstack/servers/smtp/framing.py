"""The end of a message and nothing but: finds CRLF.CRLF, takes off the dots.

Does no I/O of its own: what it keeps goes to the spool it is given. Works on whole chunks. RFC 5321 §4.1.1.4, §4.5.2.
"""

from mailstack.net.spool import Spool
from mailstack.servers.smtp.content import Content, ContentIntake
from mailstack.servers.smtp.limits import Limits

_END = b"\r\n.\r\n"


class DataFraming:
    """One message. Not used again once feed has returned bytes; the content lives as long as the spool."""

    def __init__(self, limits: Limits, spool: Spool) -> None:
        self._intake = ContentIntake(limits, spool)
        # The line of the DATA command ended in CRLF: a dot may follow at once. These two octets are not kept.
        self._held = b"\r\n"
        self._is_first = True

    def feed(self, chunk: bytes) -> bytes | None:
        """None until the end has come; then what followed it. Raises FramingLost past every limit."""
        data = self._held + chunk
        end = data.find(_END)
        if end >= 0:
            self._take(data[: end + 2])
            return data[end + 5 :]
        held = _held_octets(data)
        self._held = data[len(data) - held :]
        self._take(data[: len(data) - held])
        return None

    def content(self) -> Content:
        """After the end. Raises the first thing that was wrong: Refused, or TryAgainLater from the spool."""
        return self._intake.content()

    def _take(self, block: bytes) -> None:
        """block: ends neither in CR nor in the middle of what might become an end; its lines may still have dots."""
        if not block:
            return
        self._intake.check_lines(block)
        # RFC 5321 §4.5.2: one dot is taken off each line that begins with one.
        block = block.replace(b"\r\n.", b"\r\n")
        if self._is_first:
            self._is_first = False
            block = block[2:]
        self._intake.keep(block)


def _held_octets(data: bytes) -> int:
    """How much of the end may be the beginning of CRLF.CRLF."""
    for size in (4, 3, 2, 1):
        if data.endswith(_END[:size]):
            return size
    return 0
