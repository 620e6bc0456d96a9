"""Paths as they stand in MAIL and RCPT: quoted where they must be, refused where they could hold a command.

RFC 5321 §4.1.2, RFC 6531 §3.3.
"""

import re

from mailstack.model.address import domain_key
from mailstack.model.delivery import NULL_PATH
from mailstack.model.errors import Invalid

# RFC 5321 §4.1.2: Dot-string = Atom *("." Atom); RFC 6531 §3.3 adds UTF8-non-ascii to atext.
_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\u0080-\U0010ffff]"
_DOT_STRING = re.compile(rf"{_ATEXT}+(?:\.{_ATEXT}+)*")

# RFC 5321 §4.1.2: Quoted-string = DQUOTE *QcontentSMTP DQUOTE; qtextSMTP = %d32-33 / %d35-91 / %d93-126
_QUOTED_STRING = re.compile(r'"(?:[\x20\x21\x23-\x5b\x5d-\x7e\u0080-\U0010ffff]|\\[\x20-\x7e])*"')

# RFC 5321 §4.1.3: address-literal = "[" ( IPv4 / IPv6 / General ) "]"; dcontent = %d33-90 / %d94-126
_LITERAL = re.compile(r"\[[\x21-\x5a\x5e-\x7e]+\]")


def write_path(text: str) -> bytes:
    """text: `local@domain` or the null path. The answer has its angle brackets. Raises Invalid."""
    if text == NULL_PATH:
        return b"<>"
    local_part, at, domain = text.rpartition("@")
    if not at or not local_part:
        raise Invalid("not an address (such as alice@example.com)")
    return f"<{_write_local_part(local_part)}@{_write_domain(domain)}>".encode()


def needs_smtp_utf8(text: str) -> bool:
    """A domain never does: it is written in A-labels."""
    return not text.rpartition("@")[0].isascii()


def _write_local_part(local_part: str) -> str:
    if not local_part.isprintable():
        # Controls and line ends never reach the wire: whoever puts one here tries to write a command.
        raise Invalid("a path must not hold control characters")
    if _DOT_STRING.fullmatch(local_part) or _QUOTED_STRING.fullmatch(local_part):
        return local_part
    return '"' + local_part.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _write_domain(domain: str) -> str:
    if _LITERAL.fullmatch(domain):
        return domain
    if domain.startswith("["):
        raise Invalid("a path has a broken address literal")
    return domain_key(domain)
