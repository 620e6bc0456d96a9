"""What a message from a mail program still lacks, and what must not leave with it. RFC 6409 §8, RFC 5322 §3.6.

Pure but for the file that a large message is rewritten in. Whether its author may write so is submit's question.
"""

import tempfile
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from mmap import ACCESS_READ, mmap

from mailstack.formats.compose import write_date, write_message_id
from mailstack.formats.headers import Field, header_end, kept_header, scan_fields
from mailstack.formats.limits import LIMITS
from mailstack.formats.lines import in_lines
from mailstack.formats.short_lines import MAX_LINE_OCTETS, has_long_line, in_short_lines
from mailstack.model.errors import Invalid, LineTooLong, TryAgainLater
from mailstack.model.instant import Instant
from mailstack.model.line_ends import has_bare_line_end, with_crlf
from mailstack.model.message import RawMessage

# RFC 5322 §3.6.3: blind copies stay blind; RFC 5321 §4.4: a Return-Path is made by the last server, and only there.
# RFC 8601 §5: what servers have found of a sender is not for a sender to say.
REMOVED = frozenset({b"bcc", b"resent-bcc", b"return-path", b"authentication-results"})
MESSAGE_ID_BYTES = 16

_COPY_BYTES = 1 << 20


def normalize(raw: RawMessage) -> RawMessage:
    """With CRLF line ends only, as DATA will carry it: what is checked and signed is what is sent."""
    if not has_bare_line_end(raw):
        return raw
    return _written(with_crlf(raw), is_mapped=not isinstance(raw, bytes))


def encode_binary(raw: RawMessage) -> RawMessage | None:
    """In lines, as every server takes it; None where that would harm it. RFC 3030 §3."""
    lines = in_lines(raw[:])
    return None if lines is None else _written((lines,), is_mapped=not isinstance(raw, bytes))


def shorten_lines(raw: RawMessage) -> RawMessage:
    """With no line that a server may refuse or break, which would break our signatures as well. Raises LineTooLong.

    RFC 6409 §8.4: what is encoded anew must not be harmed by it, as whatever the author signed would be.
    """
    if not has_long_line(raw):
        return raw
    short = in_short_lines(raw[:])
    if short is None:
        raise LineTooLong(f"a line of over {MAX_LINE_OCTETS} octets where no encoding may change")
    return _written((short,), is_mapped=not isinstance(raw, bytes))


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
    if has_long_line(raw, 0, body):
        raise LineTooLong(f"a header line of over {MAX_LINE_OCTETS} octets")
    fields = scan_fields(raw, 0, body)
    if not _is_all_fields(raw, fields, body):
        # RFC 5322 §2.2: a line that is no field ends the header for some and belongs to the field above it for others.
        # What one of them does not see, the other shows, unchecked and unsigned.
        raise Invalid("a line in the header is no header field")
    return fields


def _is_all_fields(raw: RawMessage, fields: Sequence[Field], body: int) -> bool:
    at = 0
    for field in fields:
        # RFC 5322 §4.5.8: white space before the colon must not be written; some verifiers see no field there.
        colon = at + len(field.name)
        if field.start != at or raw[colon : colon + 1] != b":":
            return False
        at = field.end
    return raw[at:body] in (b"", b"\r\n")


def _with_header(header: bytes, raw: RawMessage, body: int) -> RawMessage:
    pieces = (raw[at : at + _COPY_BYTES] for at in range(body, len(raw), _COPY_BYTES))
    return _written(chain((header,), pieces), is_mapped=not isinstance(raw, bytes))


def _written(pieces: Iterable[bytes], *, is_mapped: bool) -> RawMessage:
    """A mapped message stays mapped, in a file without a name. Raises TryAgainLater when the disk is full."""
    if not is_mapped:
        return b"".join(pieces)
    try:
        with tempfile.TemporaryFile(prefix="mailstack-") as file:
            file.writelines(pieces)
            file.flush()
            return mmap(file.fileno(), 0, access=ACCESS_READ)
    except OSError as fault:
        raise TryAgainLater(f"copy of a large message: {fault}") from fault
