"""A part of text as it passes everywhere: 7-bit lines as they are, all else quoted-printable. RFC 2045 §2.7, §6.7."""

import binascii
import re
from typing import NamedTuple

_CRLF = b"\r\n"
_NOT_7BIT = re.compile(rb"\0|\r(?!\n)|(?<!\r)\n")  # RFC 2045 §2.7
_LONGEST_LINE = 998
_WITH_CHARSET = frozenset({b"text/plain", b"text/html"})


class EncodedText(NamedTuple):
    encoding: bytes
    charset: bytes
    body: bytes


def write_text_part(content_type: bytes, text: bytes) -> bytes:
    """Fields, empty line and body. text: UTF-8, with CRLF. content_type: without parameters."""
    encoded = encode_text(text)
    parameter = b"; charset=" + encoded.charset if content_type in _WITH_CHARSET else b""
    fields = b"Content-Type: " + content_type + parameter + _CRLF
    return fields + b"Content-Transfer-Encoding: " + encoded.encoding + _CRLF + _CRLF + encoded.body


def encode_text(text: bytes) -> EncodedText:
    """text: UTF-8, with CRLF."""
    if is_7bit(text):
        return EncodedText(b"7bit", b"us-ascii", text)
    return EncodedText(b"quoted-printable", b"utf-8", _quoted_printable(text))


def is_7bit(octets: bytes) -> bool:
    """RFC 2045 §2.7: ASCII, in lines that every server takes."""
    return octets.isascii() and not _NOT_7BIT.search(octets) and max(map(len, octets.split(_CRLF))) <= _LONGEST_LINE


def _quoted_printable(text: bytes) -> bytes:
    # RFC 2045 §6.7: the line ends of text are not encoded; a bare CR or LF inside a line is.
    return _CRLF.join(binascii.b2a_qp(line, istext=False).replace(b"=\n", b"=\r\n") for line in text.split(_CRLF))
