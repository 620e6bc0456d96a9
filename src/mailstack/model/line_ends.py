"""CRLF line ends, which every RawMessage has: found wanting, and mended. In pieces, for messages of any size.

A bare CR or LF is a line end to some and text to others; what they disagree on can be used to hide a field, a command
or the end of a message. RFC 5321 §2.3.8, RFC 5322 §2.2.
"""

import re
from collections.abc import Iterator

from mailstack.model.message import RawMessage

PIECE_BYTES = 1 << 18

_LINE_END = re.compile(rb"\r\n|\r|\n")


def with_crlf(content: RawMessage) -> Iterator[bytes]:
    """The same in pieces with every line end a CRLF."""
    return map(_with_crlf, _pieces(content))


def has_bare_line_end(content: RawMessage) -> bool:
    return any(_is_bare(piece) for piece in _pieces(content))


def _pieces(content: RawMessage) -> Iterator[bytes]:
    start, size = 0, len(content)
    while start < size:
        stop = min(start + PIECE_BYTES, size)
        if content[stop - 1 : stop + 1] == b"\r\n":
            stop += 1  # a CRLF cut in two would become two line ends
        yield content[start:stop]
        start = stop


def _with_crlf(piece: bytes) -> bytes:
    return _LINE_END.sub(b"\r\n", piece) if _is_bare(piece) else piece


def _is_bare(piece: bytes) -> bool:
    pairs = piece.count(b"\r\n")
    return not piece.count(b"\r") == pairs == piece.count(b"\n")
