"""`encoded-character`: characters by their numbers, `${hex: 0d 0a}` and `${unicode: 263a}`. RFC 5228 §2.4.2.4."""

import re

from mailstack.sieve.faults import Misplaced
from mailstack.sieve.language import Extension

# encoded-arb-octets = "${hex:" hex-pair-seq "}"; hex-pair-seq = *blank hex-pair *(1*blank hex-pair) *blank
# encoded-unicode-char = "${unicode:" unicode-hex-seq "}"; blank = WSP / CRLF
_ENCODED = re.compile(
    r"\$\{(?:(?P<hex>hex):(?P<pairs>[ \t\r\n]*[0-9a-f]{1,2}(?:[ \t\r\n]+[0-9a-f]{1,2})*[ \t\r\n]*)"
    r"|unicode:(?P<points>[ \t\r\n]*[0-9a-f]+(?:[ \t\r\n]+[0-9a-f]+)*[ \t\r\n]*))\}",
    re.IGNORECASE,
)


def decode(text: str, at: int) -> str:
    """at: of the string, for a fault. What has another form stays as it is."""
    if "${" not in text:
        return text
    octets = _ENCODED.sub(lambda found: _character(found, at), text).encode("utf-8", "surrogateescape")
    # Several sequences may make one character. What makes none is what it is in messages, too (formats.charsets).
    return octets.decode("utf-8", "replace")


def _character(found: re.Match[str], at: int) -> str:
    if found["hex"]:
        return bytes(int(pair, 16) for pair in found["pairs"].split()).decode("utf-8", "surrogateescape")
    return "".join(_of_unicode(point, at) for point in found["points"].split())


def _of_unicode(point: str, at: int) -> str:
    number = int(point, 16) if len(point.lstrip("0")) <= 6 else -1
    # RFC 5228 §2.4.2.4: it is an error to use a number that is no character.
    if not (0 <= number <= 0xD7FF or 0xE000 <= number <= 0x10FFFF):
        raise Misplaced(at, f"U+{point} is no character", "0 to D7FF, and E000 to 10FFFF")
    return chr(number)


EXTENSION = Extension(name="encoded-character", unescape=decode)
