"""A message as DATA carries it: CRLF line ends, dots doubled, closed by a dot of its own. RFC 5321 §4.5.2.
And as BDAT does, in chunks. RFC 3030 §2, §3.

Bare CRs and LFs are made CRLF before dots are looked for: a peer that takes one for a line end would otherwise see an
end of data that we never wrote (SMTP smuggling; Dovecot's CVE-2026-33604 was this very place).
"""

from collections.abc import Iterator

from mailstack.model.line_ends import with_crlf

CHUNK_BYTES = 1 << 18


def write_content(content: bytes) -> Iterator[bytes]:
    """Pieces to send, the closing `.` CRLF included."""
    at_line_start = True
    for lines in with_crlf(content):
        # RFC 5321 §4.5.2: a line that begins with a period gets another one.
        stuffed = lines.replace(b"\r\n.", b"\r\n..")
        yield b"." + stuffed if at_line_start and lines.startswith(b".") else stuffed
        at_line_start = lines.endswith(b"\r\n")
    yield b".\r\n" if at_line_start else b"\r\n.\r\n"


def write_chunks(content: bytes, *, is_binary: bool) -> Iterator[tuple[bytes, bool]]:
    """Each with whether it is the last. is_binary: nothing in it is a line end that is no CRLF."""
    pieces = _cut(content) if is_binary else with_crlf(content)
    held = b""
    for piece in pieces:
        if held:
            yield held, False
        held = piece
    yield held, True


def _cut(content: bytes) -> Iterator[bytes]:
    return (content[start : start + CHUNK_BYTES] for start in range(0, len(content), CHUNK_BYTES))
