"""What the `{n+}` at the end of a client's line announces. RFC 5804 §4."""

import re

from mailstack.wire.framing import ProtocolFault

# literal-c2s = "{" number "+}" CRLF *OCTET; number = (NZDIGIT *DIGIT) / "0"
_LITERAL = re.compile(rb"\{(0|[1-9][0-9]{0,9})\+\}")
_MEANT = re.compile(rb"\{[0-9]+\+?\}")


def announced_octets(line: bytes) -> tuple[int, int] | None:
    """Where in the line the literal starts, and its size; None when none is announced. line: without CRLF.

    Raises ProtocolFault.
    """
    if not line.endswith(b"}"):
        return None
    at = line.rfind(b"{")
    if at < 0 or not _MEANT.fullmatch(line, at):
        return None
    found = _LITERAL.fullmatch(line, at)
    if found is None:
        # Octets may follow, such as those of a literal-s2c, which is the server's. As commands they must not be read:
        # a script may hold some.
        raise ProtocolFault("a literal is announced as {n+}")
    return at, int(found.group(1))
