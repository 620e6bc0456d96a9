"""Messages with 8-bit bodies made fit for servers that take none. RFC 6152 §3."""

import re

from mailstack.formats.limits import LIMITS, Limits
from mailstack.formats.reencoded import Unfit, reencoded
from mailstack.model.message import RawMessage

_EIGHT_BIT = re.compile(rb"[\x80-\xff]")


def has_8bit(raw: RawMessage) -> bool:
    return _EIGHT_BIT.search(raw) is not None


def in_7bit(raw: bytes, *, limits: Limits = LIMITS) -> bytes | None:
    """None where that cannot be done without a loss, as with a header in UTF-8 (RFC 6532). What needs no change stays
    as it is, octet for octet."""
    return reencoded(raw, _UNFIT, limits=limits)


def _is_8bit(raw: bytes, start: int, end: int) -> bool:
    return _EIGHT_BIT.search(raw, start, end) is not None


_UNFIT = Unfit(is_found=_is_8bit, multipart=b"7bit")
