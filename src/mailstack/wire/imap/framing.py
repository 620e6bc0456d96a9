"""What the `{n}` at the end of a line announces. RFC 9051 §2.2.1, §4.3, RFC 3501 §4.3, RFC 7888 (LITERAL+)."""

import re
from dataclasses import dataclass

# RFC 9051 §9: literal = "{" number64 ["+"] "}" CRLF *CHAR8; literal8 = "~{" …
_LITERAL = re.compile(rb"(~?)\{([0-9]{1,19})(\+?)\}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """at: where in its line it starts. is_synchronizing: the client waits for a continuation request first."""

    at: int
    size_octets: int
    is_synchronizing: bool
    is_binary: bool


def announced_literal(line: bytes) -> Announced | None:
    """line: without CRLF."""
    if not line.endswith(b"}"):
        return None
    found = _LITERAL.search(line, max(0, len(line) - 24))
    if found is None:
        return None
    tilde, digits, plus = found.groups()
    return Announced(at=found.start(), size_octets=int(digits), is_synchronizing=not plus, is_binary=bool(tilde))
