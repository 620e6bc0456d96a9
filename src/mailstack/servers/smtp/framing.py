"""The end of a message and nothing but: finds CRLF.CRLF, takes off the dots, refuses bare CR and LF, measures.

Does no I/O of its own: what it keeps goes to the spool it is given. Works on whole chunks. RFC 5321 §2.3.8, §4.1.1.4,
§4.5.2; RFC 1870 §6.
"""

from dataclasses import dataclass

from mailstack.model.errors import DomainError
from mailstack.model.message import RawMessage
from mailstack.net.spool import Spool
from mailstack.servers.smtp.limits import Limits
from mailstack.servers.smtp.replies import (
    BARE_CR_OR_LF,
    TEXT_LINE_TOO_LONG,
    TOO_LARGE,
    TOO_MUCH_DATA,
    FramingLost,
    Refused,
)

_END = b"\r\n.\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    raw: RawMessage
    is_8bit: bool


class DataFraming:
    """One message. Not used again once feed has returned bytes; the content lives as long as the spool."""

    def __init__(self, limits: Limits, spool: Spool) -> None:
        self._limits = limits
        self._spool = spool
        # The line of the DATA command ended in CRLF: a dot may follow at once. These two octets are not kept.
        self._held = b"\r\n"
        self._is_first = True
        self._size = 0
        self._line = 0
        self._is_8bit = False
        self._fault: Refused | DomainError | None = None

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
        if self._fault is not None:
            raise self._fault
        return Content(raw=self._spool.octets(), is_8bit=self._is_8bit)

    def _take(self, block: bytes) -> None:
        """block: ends neither in CR nor in the middle of what might become an end; its lines may still have dots."""
        if not block:
            return
        line_feeds = block.count(b"\n")
        # RFC 5321 §2.3.8: CR and LF only together. What others take for a line end must not get past us
        # (CVE-2023-51764 and its kin); the message is read to its real end and refused there.
        if not line_feeds == block.count(b"\r") == block.count(b"\r\n"):
            self._refuse(Refused(BARE_CR_OR_LF))
        self._measure_lines(block)
        # RFC 5321 §4.5.2: one dot is taken off each line that begins with one.
        block = block.replace(b"\r\n.", b"\r\n")
        if self._is_first:
            self._is_first = False
            block = block[2:]
        self._keep(block)

    def _keep(self, block: bytes) -> None:
        self._size += len(block)
        if self._size > self._limits.message_bytes:
            self._refuse(Refused(TOO_LARGE))
            if self._size > self._limits.message_bytes + self._limits.surplus_bytes:
                raise FramingLost(TOO_MUCH_DATA)
        if self._fault is not None:
            return
        self._is_8bit = self._is_8bit or not block.isascii()
        try:
            self._spool.write(block)
        except DomainError as fault:  # the disk is full: the peer hears of it after its last line
            self._refuse(fault)

    def _refuse(self, fault: Refused | DomainError) -> None:
        self._fault = self._fault or fault
        self._spool.close()

    def _measure_lines(self, block: bytes) -> None:
        limit = self._limits.text_line_bytes
        start = -self._line
        while len(block) - start > limit:
            end = block.rfind(b"\n", max(start, 0), start + limit)
            if end < 0:
                self._refuse(Refused(TEXT_LINE_TOO_LONG))
                break
            start = end + 1
        last = block.rfind(b"\n")
        self._line = self._line + len(block) if last < 0 else len(block) - last - 1


def _held_octets(data: bytes) -> int:
    """How much of the end may be the beginning of CRLF.CRLF."""
    for size in (4, 3, 2, 1):
        if data.endswith(_END[:size]):
            return size
    return 0
