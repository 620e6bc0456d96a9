"""Messages of binary parts made fit for servers that take lines alone: such parts are encoded. RFC 3030 §3."""

import re

from mailstack.formats.limits import LIMITS, Limits
from mailstack.formats.reencoded import Unfit, reencoded
from mailstack.formats.short_lines import has_long_line

_NO_TEXT = re.compile(rb"\0|\r(?!\n)|(?<!\r)\n")  # RFC 2045 §2.8


def in_lines(raw: bytes, *, limits: Limits = LIMITS) -> bytes | None:
    """None where that cannot be done without a loss. What needs no change stays as it is, octet for octet."""
    return reencoded(raw, _UNFIT, limits=limits)


def _is_binary(raw: bytes, start: int, end: int) -> bool:
    return _NO_TEXT.search(raw, start, end) is not None or has_long_line(raw, start, end)


# RFC 2045 §6.2: without a transport for it, nothing in a mail may be called binary, whatever it holds.
_UNFIT = Unfit(is_found=_is_binary, multipart=b"8bit", encodings=frozenset({b"binary"}))
