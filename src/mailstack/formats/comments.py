"""Comments in structured fields, which nest and may hold quoted pairs. Linear. RFC 5322 §3.2.2."""

import re

_EDGE = re.compile(rb"\\.|[()]", re.DOTALL)
_OPENING = re.compile(rb"\"(?:[^\"\\]++|\\.)*+\"?+|\(", re.DOTALL)


def comment_end(value: bytes, start: int) -> int:
    """Past the parenthesis that closes the comment whose text begins at start; the end where none does."""
    depth = 1
    for edge in _EDGE.finditer(value, start):
        if edge[0] == b"(":
            depth += 1
        elif edge[0] == b")":
            depth -= 1
        if depth == 0:
            return edge.end()
    return len(value)


def without_comments(value: bytes) -> bytes:
    """Each comment becomes one space; parentheses inside quoted strings are none."""
    kept: list[bytes] = []
    kept_to = at = 0
    while opening := _OPENING.search(value, at):
        at = opening.end()
        if opening[0] == b"(":
            kept.append(value[kept_to : opening.start()])
            kept_to = at = comment_end(value, at)
    kept.append(value[kept_to:])
    return b" ".join(kept)
