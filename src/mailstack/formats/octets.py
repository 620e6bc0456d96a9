"""Finding and counting in a message of any size. A mapped file is looked at through slices of one megabyte: mmap.find
is quadratic on hostile input, and mmap cannot count.
"""

from mailstack.model.message import RawMessage

_WINDOW = 1 << 20


def find(raw: RawMessage, needle: bytes, start: int, end: int) -> int:
    """As bytes.find: the offset of the first occurrence that lies within [start, end), or -1."""
    if isinstance(raw, bytes):
        return raw.find(needle, start, end)
    end = min(end, len(raw))
    while start < end:
        found = raw[start : min(end, start + _WINDOW + len(needle) - 1)].find(needle)
        if found >= 0:
            return start + found
        start += _WINDOW
    return -1


def count_lines(raw: RawMessage, start: int, end: int) -> int:
    if isinstance(raw, bytes):
        return raw.count(b"\n", start, end)
    return sum(raw[at : min(end, at + _WINDOW)].count(b"\n") for at in range(start, end, _WINDOW))
