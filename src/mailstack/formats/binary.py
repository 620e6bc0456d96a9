"""Messages with binary bodies made fit for those who cannot take them: such a part becomes base64. Never raises.

Only parts that say they are binary, and only where they hold what no line may. RFC 3516 §4.4, RFC 2045 §6.2, §6.8.
"""

import re
from base64 import encodebytes
from collections.abc import Iterator

from mailstack.formats.content import leaves
from mailstack.formats.headers import Field
from mailstack.formats.limits import LIMITS, Limits
from mailstack.formats.mime import Part, scan
from mailstack.model.message import RawMessage

# RFC 2045 §2.8: no NUL, CR and LF only together, lines of 998 octets at most.
_NOT_LINES = re.compile(rb"\x00|\r(?!\n)|(?<!\r)\n|[^\r\n]{999}")
_ENCODING = b"content-transfer-encoding"


def has_binary(data: bytes) -> bool:
    return _NOT_LINES.search(data) is not None


def without_binary(raw: RawMessage, *, limits: Limits = LIMITS) -> bytes:
    """What is not binary stays as it is, octet for octet."""
    pieces: list[bytes] = []
    at = 0
    for start, end, octets in _changes(raw, scan(raw, limits=limits)):
        pieces += (raw[at:start], octets)
        at = end
    return b"".join((*pieces, raw[at:]))


def _changes(raw: RawMessage, root: Part) -> Iterator[tuple[int, int, bytes]]:
    """What stands in [start, end) is replaced, in ascending order."""
    for part in leaves(root):
        field = _binary_field(part)
        if field is None:
            continue
        body = raw[part.body_start : part.body_end]
        if has_binary(body):
            yield field.start, field.end, b"Content-Transfer-Encoding: base64\r\n"
            yield part.body_start, part.body_end, base64_lines(body)


def _binary_field(part: Part) -> Field | None:
    if part.encoding != b"binary":
        return None
    return next((field for field in part.fields if field.name == _ENCODING), None)


def base64_lines(body: bytes) -> bytes:
    return encodebytes(body).rstrip(b"\n").replace(b"\n", b"\r\n")
