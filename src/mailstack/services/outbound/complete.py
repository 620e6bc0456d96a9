"""What a message from a mail program still lacks, and what must not leave with it. RFC 6409 §8, RFC 5322 §3.6.

Pure but for the file that a large message is rewritten in. Whether its author may write so is submit's question.
"""

import re
import tempfile
from collections.abc import Callable
from mmap import ACCESS_READ, mmap

from mailstack.formats.compose import write_date, write_message_id
from mailstack.formats.headers import Field, header_end, kept_header, scan_fields
from mailstack.formats.limits import LIMITS
from mailstack.model.errors import Invalid
from mailstack.model.instant import Instant
from mailstack.model.message import RawMessage

# RFC 5322 §3.6.3: blind copies stay blind; RFC 5321 §4.4: a Return-Path is made by the last server, and only there.
REMOVED = frozenset({b"bcc", b"resent-bcc", b"return-path"})
MAX_LINE_OCTETS = 998  # RFC 5322 §2.1.1
MESSAGE_ID_BYTES = 16

_COPY_BYTES = 1 << 20
_LONG_LINE = re.compile(rb"[^\n]{%d}" % (MAX_LINE_OCTETS + 2))
_EIGHT_BIT = re.compile(rb"[\x80-\xff]")


def complete(raw: RawMessage, *, now: Instant, domain: str, token: Callable[[int], bytes]) -> RawMessage:
    """With Date and Message-ID, without the fields that are nobody else's business; domain: of the author."""
    body = header_end(raw)
    names = {field.name for field in scan_fields(raw, 0, body)}
    added = b""
    if b"date" not in names:
        added += write_date(now)
    if b"message-id" not in names:
        added += write_message_id(token(MESSAGE_ID_BYTES).hex(), domain)
    if not added and not names & REMOVED:
        return raw
    return _with_header(added + kept_header(raw, REMOVED), raw, body)


def require_sound_header(raw: RawMessage) -> list[Field]:
    """The fields. Raises Invalid for a header that other servers would refuse or mend."""
    body = header_end(raw)
    if body > LIMITS.header:
        raise Invalid(f"a header of over {LIMITS.header} octets")
    # Body lines are left alone: breaking one breaks signatures, and refusing would stop mail that arrives elsewhere.
    if _LONG_LINE.search(raw[:body]):
        raise Invalid(f"a header line of over {MAX_LINE_OCTETS} octets")
    return scan_fields(raw, 0, body)


def is_8bit(raw: RawMessage) -> bool:
    return _EIGHT_BIT.search(raw) is not None


def _with_header(header: bytes, raw: RawMessage, body: int) -> RawMessage:
    """A mapped message stays mapped, in a file without a name."""
    if isinstance(raw, bytes):
        return header + raw[body:]
    with tempfile.TemporaryFile() as file:
        file.write(header)
        for at in range(body, len(raw), _COPY_BYTES):
            file.write(raw[at : at + _COPY_BYTES])
        file.flush()
        return mmap(file.fileno(), 0, access=ACCESS_READ)
