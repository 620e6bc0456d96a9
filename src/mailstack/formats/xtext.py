"""xtext: ASCII text that fits into a parameter of SMTP, "+", "=" and everything that does not print in hexadecimal.

RFC 3461 §4.
"""

import re

from mailstack.model.errors import Invalid

# xtext = *( xchar / hexchar ); xchar = %d33-42 / %d44-60 / %d62-126; hexchar = "+" followed by two upper case digits
_XTEXT = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*+")
_OTHERS = re.compile(r"[^!-*,-<>-~]")
_HEXCHAR = re.compile(r"\+([0-9A-F]{2})")


def decode_xtext(text: str) -> str:
    """Raises Invalid for what is no xtext, and for what is not printable ASCII behind it."""
    if not _XTEXT.fullmatch(text):
        raise Invalid("no xtext")
    plain = _HEXCHAR.sub(lambda found: chr(int(found[1], 16)), text)
    # RFC 3461 §4.2, §4.4: what goes into the fields of a notice is printable ASCII.
    if not (plain.isascii() and plain.isprintable()):
        raise Invalid("xtext of unprintable characters")
    return plain


def encode_xtext(text: str) -> str:
    """text: printable ASCII."""
    return _OTHERS.sub(lambda found: f"+{ord(found[0]):02X}", text)
