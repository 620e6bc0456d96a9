"""Messages with lines that no server need take, made fit for all: what is in such lines is encoded. RFC 5322 §2.1.1."""

from mailstack.formats.limits import LIMITS, Limits
from mailstack.formats.reencoded import Unfit, reencoded
from mailstack.model.message import RawMessage

MAX_LINE_OCTETS = 998
"""RFC 5322 §2.1.1, without the CRLF."""


def has_long_line(raw: RawMessage, start: int = 0, end: int | None = None) -> bool:
    """start: where a line begins."""
    stop = len(raw) if end is None else end
    while stop - start > MAX_LINE_OCTETS:
        # From one line to the last that ends within the next 1,000 octets: few of them are looked at.
        line_feed = raw.rfind(b"\n", start, min(stop, start + MAX_LINE_OCTETS + 2))
        if line_feed < 0:
            return True
        start = line_feed + 1
    return False


def in_short_lines(raw: bytes, *, limits: Limits = LIMITS) -> bytes | None:
    """None where that cannot be done without a loss. What needs no change stays as it is, octet for octet."""
    return reencoded(raw, _UNFIT, limits=limits)


_UNFIT = Unfit(is_found=has_long_line, multipart=None)
