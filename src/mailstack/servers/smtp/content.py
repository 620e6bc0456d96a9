"""A message as it comes in, by DATA or in chunks: measured, refused for bare CR and LF, kept in a spool.

Where it ends is framing's and chunks' business. RFC 5321 §2.3.8, §4.5.3.1.6; RFC 1870 §6; RFC 3030 §3.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    raw: RawMessage
    is_8bit: bool


class ContentIntake:
    """What is wrong is remembered, and the rest of the message read and thrown away."""

    def __init__(self, limits: Limits, spool: Spool) -> None:
        self._limits = limits
        self._spool = spool
        self._size = 0
        self._line = 0
        self._is_8bit = False
        self._fault: Refused | DomainError | None = None

    def check_lines(self, block: bytes) -> None:
        """block: does not end in the middle of a CRLF."""
        line_feeds = block.count(b"\n")
        # RFC 5321 §2.3.8: CR and LF only together. What others take for a line end must not get past us
        # (CVE-2023-51764 and its kin); the message is read to its real end and refused there.
        if not line_feeds == block.count(b"\r") == block.count(b"\r\n"):
            self.refuse(Refused(BARE_CR_OR_LF))
        self._measure_lines(block)

    def keep(self, block: bytes) -> None:
        """Raises FramingLost past every limit."""
        self._size += len(block)
        if self._size > self._limits.message_bytes:
            self.refuse(Refused(TOO_LARGE))
            if self._size > self._limits.message_bytes + self._limits.surplus_bytes:
                raise FramingLost(TOO_MUCH_DATA)
        if self._fault is not None:
            return
        self._is_8bit = self._is_8bit or not block.isascii()
        try:
            self._spool.write(block)
        except DomainError as fault:  # the disk is full: the peer hears of it after its last line
            self.refuse(fault)

    def refuse(self, fault: Refused | DomainError) -> None:
        self._fault = self._fault or fault
        self._spool.close()

    def raise_fault(self) -> None:
        """Raises the first thing that was wrong: Refused, or TryAgainLater from the spool."""
        if self._fault is not None:
            raise self._fault

    def content(self) -> Content:
        """After the end. Raises as raise_fault does."""
        self.raise_fault()
        return Content(raw=self._spool.octets(), is_8bit=self._is_8bit)

    def _measure_lines(self, block: bytes) -> None:
        limit = self._limits.text_line_bytes
        start = -self._line
        while len(block) - start > limit:
            end = block.rfind(b"\n", max(start, 0), start + limit)
            if end < 0:
                self.refuse(Refused(TEXT_LINE_TOO_LONG))
                break
            start = end + 1
        last = block.rfind(b"\n")
        self._line = self._line + len(block) if last < 0 else len(block) - last - 1
