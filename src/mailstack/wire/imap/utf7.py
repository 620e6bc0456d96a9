"""Mailbox names in modified UTF-7. RFC 3501 §5.1.3; RFC 9051 §5.1 does away with it, RFC 3501's clients do not.

Only the one shortest form of a name is taken, for two spellings of one name are two names to whoever compares bytes.
"""

import re
from binascii import Error, a2b_base64, b2a_base64

from mailstack.model.errors import Invalid

# "&" base64 "-" with "," for "/" and no padding; "&-" is the ampersand itself.
_SHIFTED = re.compile(rb"&([A-Za-z0-9+,]*)-")
_NOT_DIRECT = re.compile(r"&|[^\x20-\x7e]+")
_DIRECT = re.compile(rb"[\x20-\x7e]*\Z")


def decode(octets: bytes) -> str:
    """Raises Invalid."""
    if not _DIRECT.match(octets):
        raise Invalid("a mailbox name holds octets outside printable US-ASCII")
    if b"&" not in octets:
        return octets.decode("ascii")
    pieces: list[str] = []
    at = 0
    for shifted in _SHIFTED.finditer(octets):
        pieces += (octets[at : shifted.start()].decode("ascii"), _unshifted(shifted.group(1)))
        at = shifted.end()
    text = "".join(pieces) + octets[at:].decode("ascii")
    if encode(text) != octets:
        raise Invalid("a mailbox name is not well-formed modified UTF-7")
    return text


def encode(text: str) -> bytes:
    """text: no lone surrogates."""
    if text.isascii() and text.isprintable() and "&" not in text:
        return text.encode("ascii")
    return _NOT_DIRECT.sub(_shifted, text).encode("ascii")


def _unshifted(base64: bytes) -> str:
    if not base64:
        return "&"
    padded = base64.replace(b",", b"/") + b"=" * (-len(base64) % 4)
    try:
        return a2b_base64(padded, strict_mode=True).decode("utf-16-be")
    except (Error, UnicodeDecodeError):
        raise Invalid("a mailbox name is not well-formed modified UTF-7") from None


def _shifted(found: re.Match[str]) -> str:
    if found.group() == "&":
        return "&-"
    base64 = b2a_base64(found.group().encode("utf-16-be"), newline=False).rstrip(b"=").replace(b"/", b",")
    return f"&{base64.decode('ascii')}-"
