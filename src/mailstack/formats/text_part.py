"""A part of text as it passes everywhere: 7-bit lines as they are, all else quoted-printable. RFC 2045 §2.7, §6.7."""

import binascii
import re

_CRLF = b"\r\n"
_NOT_7BIT = re.compile(rb"\0|\r(?!\n)|(?<!\r)\n")  # RFC 2045 §2.7
_LONGEST_LINE = 998


def write_text_part(content_type: bytes, text: bytes) -> bytes:
    """Fields, empty line and body. text: UTF-8, with CRLF. content_type: without parameters."""
    encoding, charset = b"7bit", b"us-ascii"
    if not text.isascii() or _NOT_7BIT.search(text) or max(map(len, text.split(_CRLF))) > _LONGEST_LINE:
        encoding, charset = b"quoted-printable", b"utf-8"
        text = _quoted_printable(text)
    parameter = b"; charset=" + charset if content_type == b"text/plain" else b""
    fields = b"Content-Type: " + content_type + parameter + _CRLF + b"Content-Transfer-Encoding: " + encoding + _CRLF
    return fields + _CRLF + text


def _quoted_printable(text: bytes) -> bytes:
    # RFC 2045 §6.7: the line ends of text are not encoded; a bare CR or LF inside a line is.
    return _CRLF.join(binascii.b2a_qp(line, istext=False).replace(b"=\n", b"=\r\n") for line in text.split(_CRLF))
