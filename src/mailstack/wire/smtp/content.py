"""A message as DATA carries it: CRLF line ends, dots doubled, closed by a dot of its own. RFC 5321 §4.5.2.

Bare CRs and LFs are made CRLF before dots are looked for: a peer that takes one for a line end would otherwise see an
end of data that we never wrote (SMTP smuggling; Dovecot's CVE-2026-33604 was this very place).
"""

import re
from collections.abc import Iterator

from mailstack.model.message import RawMessage

PIECE_BYTES = 1 << 18

_LINE_END = re.compile(rb"\r\n|\r|\n")


def write_content(content: bytes) -> Iterator[bytes]:
    """Pieces to send, the closing `.` CRLF included."""
    at_line_start = True
    for lines in with_crlf(content):
        # RFC 5321 §4.5.2: a line that begins with a period gets another one.
        stuffed = lines.replace(b"\r\n.", b"\r\n..")
        yield b"." + stuffed if at_line_start and lines.startswith(b".") else stuffed
        at_line_start = lines.endswith(b"\r\n")
    yield b".\r\n" if at_line_start else b"\r\n.\r\n"


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
