"""Canonical forms of header fields and bodies, in time linear in their length. RFC 6376 §3.4.

Bodies of any size are walked in pieces, so that a mapped file is hashed without ever standing in memory whole.
dkimpy's own relaxed body form is quadratic in runs of spaces: one line of 80 KB of them takes 16 s.
"""

from collections.abc import Callable, Iterator

from mailstack.model.message import RawMessage

PIECE_BYTES = 1 << 18

_CRLF = b"\r\n"


def relaxed_header(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    """value: all after the colon, with its folds; the answer's ends in CRLF. RFC 6376 §3.4.2."""
    unfolded = value.replace(_CRLF, b"").strip(b" \t\r\n")
    return name.rstrip(b" \t").lower(), _single_spaces(unfolded) + _CRLF


def relaxed_body(raw: RawMessage, start: int = 0) -> Iterator[bytes]:
    """The relaxed form of raw[start:], in pieces. RFC 6376 §3.4.4."""
    return _without_empty_end(raw, start, _relaxed_lines, of_nothing=b"")


def simple_body(raw: RawMessage, start: int = 0) -> Iterator[bytes]:
    """The simple form of raw[start:], in pieces. RFC 6376 §3.4.3."""
    # RFC 6376 §3.4.3: an empty body is one CRLF here, and nothing at all in the relaxed form.
    return _without_empty_end(raw, start, bytes, of_nothing=_CRLF)


def _relaxed_lines(lines: bytes) -> bytes:
    return _single_spaces(lines).replace(b" \r\n", _CRLF)


def _single_spaces(text: bytes) -> bytes:
    """Each run of spaces and tabs as one space: every pass halves the runs, and most texts need one or none."""
    spaced = text.replace(b"\t", b" ")
    while b"  " in spaced:
        spaced = spaced.replace(b"  ", b" ")
    return spaced


def _without_empty_end(
    raw: RawMessage, start: int, canonicalize: Callable[[bytes], bytes], *, of_nothing: bytes
) -> Iterator[bytes]:
    held_back = 0  # empty lines that count only when another line follows
    is_empty = True
    for piece in _whole_lines(raw, start):
        lines = canonicalize(piece)
        kept = _end_of_text(lines)
        if kept:
            while held_back:
                together = min(held_back, PIECE_BYTES)
                yield _CRLF * together
                held_back -= together
            yield lines[:kept]
            is_empty = False
        held_back += (len(lines) - kept) // 2
    yield of_nothing if is_empty else _CRLF


def _whole_lines(raw: RawMessage, start: int) -> Iterator[bytes]:
    """Pieces that end with a line: white space before a CRLF must not be cut from it."""
    size = len(raw)
    while start < size:
        stop = start + PIECE_BYTES
        if stop >= size:
            last = raw[start:size]
            # RFC 6376 §3.4.3: a body that does not end in CRLF gets one; DATA would add it anyway.
            yield last if last.endswith(_CRLF) else last + _CRLF
            return
        cut = raw.rfind(_CRLF, start, stop)
        if cut < 0:
            cut = raw.find(_CRLF, stop - 1)
        stop = size if cut < 0 else cut + 2
        piece = raw[start:stop]
        yield piece if cut >= 0 else piece + _CRLF
        start = stop


def _end_of_text(lines: bytes) -> int:
    """Where the CRLF of the last line that holds something begins."""
    end = len(lines.rstrip(_CRLF))
    tail = lines[end:]
    # Bare CRs and LFs are text; only what alternates without a break to the end is empty lines.
    broken = max(tail.rfind(b"\n\n"), tail.rfind(b"\r\r")) + 1
    return end + broken + (tail[broken : broken + 1] == b"\n")
