"""Messages whose bodies hold what must not be sent, made fit: such parts become quoted-printable or base64.

All or nothing: what a new encoding of parts does not put right is left to come back. Signatures over a whole message
(DKIM) break, as they do wherever mail is converted. RFC 2045 §4, §6.
"""

import re
from binascii import b2a_qp
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from mailstack.formats.binary import base64_lines
from mailstack.formats.content import decode_transfer
from mailstack.formats.headers import Field
from mailstack.formats.limits import Limits
from mailstack.formats.mime import Part, scan
from mailstack.formats.part_table import TransferEncoding
from mailstack.model.line_ends import has_bare_line_end

_NOT_ENCODED = frozenset({b"7bit", b"8bit", b"binary"})
# RFC 1847 §2.1: what a signature is over must not be encoded anew on the way.
_SEALED = frozenset({b"signed", b"encrypted"})
_COMPOSITE = re.compile(rb"[ \t\r\n]*+(?:multipart|message)[ \t\r\n]*+/", re.IGNORECASE)
# RFC 2045 §6.7, §6.8: what is neither is read by each reader in its own way.
_NOT_QUOTED = re.compile(rb"[^\t\r\n -~]|=(?![0-9A-Fa-f]{2}|[ \t]*+(?:\r?\n|\Z))")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/= \t\r\n]")
_BASE64_LINE = re.compile(rb"[^\r\n]{76}(?=[^\r\n])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfit:
    """is_found: whether [start, end) holds what must not be sent. multipart: what one of 8bit or binary says once its
    parts are fit; None: the same. encodings: those that no part may name, whatever it holds."""

    is_found: Callable[[bytes, int, int], bool]
    multipart: bytes | None
    encodings: frozenset[bytes] = frozenset()

    def is_of(self, raw: bytes, part: Part) -> bool:
        return self.is_found(raw, part.header_start, part.body_end) or self._is_named(part)

    def _is_named(self, part: Part) -> bool:
        return bool(self.encodings) and (part.encoding in self.encodings or any(map(self._is_named, part.children)))


class _Impossible(Exception):
    """It would take more than the encoding of parts."""


def reencoded(raw: bytes, unfit: Unfit, *, limits: Limits) -> bytes | None:
    """None where that cannot be done without a loss. What needs no change stays as it is, octet for octet."""
    pieces: list[bytes] = []
    at = 0
    try:
        for start, end, octets in _changes(raw, scan(raw, limits=limits), unfit, is_message=True):
            pieces += (raw[at:start], octets)
            at = end
    except _Impossible:
        return None
    return b"".join((*pieces, raw[at:]))


def _changes(raw: bytes, part: Part, unfit: Unfit, *, is_message: bool) -> Iterator[tuple[int, int, bytes]]:
    """What stands in [start, end) is replaced, in ascending order. Raises _Impossible."""
    if not unfit.is_of(raw, part):
        return
    if unfit.is_found(raw, part.header_start, part.body_start):
        raise _Impossible  # a header, which no encoding of a body changes
    version = _missing_version(raw, part) if is_message else b""
    if part.children:
        yield from _of_composite(raw, part, unfit, version)
        return
    if any(_is_composite(field) for field in part.fields):
        raise _Impossible
    encoding, body = _encoded(raw, part)
    yield _labelled(part, version, encoding)
    yield part.body_start, part.body_end, body


def _of_composite(raw: bytes, part: Part, unfit: Unfit, version: bytes) -> Iterator[tuple[int, int, bytes]]:
    if part.encoding not in _NOT_ENCODED:
        raise _Impossible  # RFC 2045 §6.4: it is not what it says it is
    between = [part.body_start, *(at for child in part.children for at in (child.header_start, child.body_end))]
    gaps = list(pairwise([*between, part.body_end]))[::2]
    if part.subtype in _SEALED or any(unfit.is_found(raw, *gap) for gap in gaps):
        raise _Impossible
    if unfit.multipart is not None and part.encoding in (b"8bit", b"binary"):
        yield _labelled(part, version, unfit.multipart)  # RFC 2045 §6.4: it says what its parts are together
    elif version:
        end = _fields_end(part)
        yield end, end, version
    for child in part.children:
        yield from _changes(raw, child, unfit, is_message=part.is_message)


def _missing_version(raw: bytes, part: Part) -> bytes:
    """RFC 2045 §4: the field without which nobody need look at an encoding."""
    if any(field.name == b"mime-version" for field in part.fields):
        return b""
    if not raw[part.body_start : part.body_end].isascii():
        raise _Impossible  # no MIME, so nobody says which characters these are
    return b"MIME-Version: 1.0\r\n"


def _labelled(part: Part, version: bytes, encoding: bytes) -> tuple[int, int, bytes]:
    fields = [field for field in part.fields if field.name == b"content-transfer-encoding"]
    if len(fields) > 1:
        raise _Impossible
    end = _fields_end(part)
    at = (fields[0].start, fields[0].end) if fields else (end, end)
    return *at, version + b"Content-Transfer-Encoding: " + encoding + b"\r\n"


def _fields_end(part: Part) -> int:
    return part.fields[-1].end if part.fields else part.header_start


def _encoded(raw: bytes, part: Part) -> tuple[bytes, bytes]:
    """The encoding and the body in it."""
    body = raw[part.body_start : part.body_end]
    if part.encoding in _NOT_ENCODED:
        return _encoded_octets(body, is_text=part.type == b"text")
    if part.encoding == b"base64" and not _NOT_BASE64.search(body):
        return part.encoding, _BASE64_LINE.sub(rb"\g<0>\r\n", body)  # RFC 2045 §6.8: line breaks are no part of it
    if part.encoding == b"quoted-printable" and not _NOT_QUOTED.search(body):
        return _encoded_octets(decode_transfer(body, TransferEncoding.QUOTED_PRINTABLE), is_text=True)
    raise _Impossible  # it is not what it says it is


def _encoded_octets(body: bytes, *, is_text: bool) -> tuple[bytes, bytes]:
    if is_text and not has_bare_line_end(body):
        quoted = b2a_qp(body, istext=True)
        if b"\n" not in body:
            quoted = quoted.replace(b"\n", b"\r\n")  # it takes its line ends from the first that it sees
        if b"=\r\n--" not in quoted:  # a soft line break must not make a boundary of what was none
            return b"quoted-printable", quoted
    return b"base64", base64_lines(body)


def _is_composite(field: Field) -> bool:
    """Also where scan made a simple part of it, for want of a boundary or past a limit."""
    return field.name == b"content-type" and _COMPOSITE.match(field.value) is not None
