"""Paths of MAIL and RCPT as a file of the dialect gives them. RFC 5321 §4.1.2."""

import re

_ATOM = r"[^\s<>@,:]+"
_DOMAIN = r"[^\s<>@,:.]+(?:\.[^\s<>@,:.]+)*"
# Path = "<" [ A-d-l ":" ] Mailbox ">"; the brackets may be missing here, both of them.
_PATH = re.compile(rf"(?:@{_DOMAIN}(?:,@{_DOMAIN})*:)?({_ATOM}(?:@{_DOMAIN})?)")


def path_of(text: str) -> str:
    """The address in it; "" for the null path, and for what a server would refuse."""
    inner = text[1:-1] if text.startswith("<") and text.endswith(">") else text
    found = _PATH.fullmatch(inner)
    return found[1] if found else ""
