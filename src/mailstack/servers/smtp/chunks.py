"""A message that comes in chunks of told sizes. No octet in them ends anything: they are counted. RFC 3030 §2, §3.

Text in chunks obeys the rules of DATA all the same, bare CR and LF are refused: whoever sends it on by DATA, as we do
ourselves, would have to mend them, and what one server mends is where the next one finds a hidden end.
"""

from mailstack.formats.headers import header_end
from mailstack.model.line_ends import has_bare_line_end
from mailstack.net.spool import Spool
from mailstack.servers.smtp.content import Content, ContentIntake
from mailstack.servers.smtp.limits import Limits
from mailstack.servers.smtp.replies import BARE_CR_OR_LF, Refused


class Chunks:
    """One message. is_binary: BODY=BINARYMIME, whose parts may hold any octets. Closed by whoever made it."""

    def __init__(self, limits: Limits, *, is_binary: bool) -> None:
        self._is_binary = is_binary
        self._spool = Spool()
        self._intake = ContentIntake(limits, self._spool)
        self._held = b""

    def feed(self, octets: bytes) -> None:
        """However they are cut. Raises FramingLost past every limit."""
        if self._is_binary:
            self._intake.keep(octets)
            return
        data = self._held + octets
        self._held = b"\r" if data.endswith(b"\r") else b""  # its LF may be the first octet of the next chunk
        self._take_text(data.removesuffix(b"\r"))

    def raise_fault(self) -> None:
        """Raises what has been wrong so far: Refused, or TryAgainLater from the spool."""
        self._intake.raise_fault()

    def content(self) -> Content:
        """After the last chunk. Raises as raise_fault does."""
        if self._held:
            self._take_text(self._held)
        content = self._intake.content()
        # RFC 3030 §3: binary is what a part's transfer encoding may be; header lines end in CRLF as ever.
        if self._is_binary and has_bare_line_end(content.raw[: header_end(content.raw)]):
            raise Refused(BARE_CR_OR_LF)
        return content

    def close(self) -> None:
        self._spool.close()

    def _take_text(self, block: bytes) -> None:
        self._intake.check_lines(block)
        self._intake.keep(block)
