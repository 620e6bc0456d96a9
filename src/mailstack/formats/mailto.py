"""mailto URIs to recipients, fields and a body. RFC 6068 §2.

Not what may be done with them: a notification, say, sets no more than RFC 5436 allows.
"""

import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

MAX_OCTETS = 8_192
# RFC 6068 §2: mailtoURI = "mailto:" [ to ] [ hfields ]; what is not of unreserved or some-delims is percent-encoded.
_URI = re.compile(r"mailto:([A-Za-z0-9._~!$'()*+,;:@%-]*)(?:\?([A-Za-z0-9._~!$'()*+,;:@%/?&=-]*))?", re.IGNORECASE)
_ENCODED = re.compile(r"%(?![0-9A-Fa-f]{2})")
_FIELD_NAME = re.compile(r"[A-Za-z0-9-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailto:
    """to: as written, percent-decoded, those of `to` fields too. fields: names lower-case, in order, neither to nor
    body among them."""

    to: tuple[str, ...]
    fields: tuple[tuple[str, str], ...] = ()
    body: str = ""


def parse_mailto(uri: str) -> Mailto | None:
    """None for what is none, or holds what would break a header. Addresses are not checked."""
    found = _URI.fullmatch(uri) if len(uri) <= MAX_OCTETS else None
    if found is None or _ENCODED.search(uri):
        return None
    named = _decoded(found[1])
    if "\r" in named or "\n" in named:
        return None
    to = _several(named)
    fields: list[tuple[str, str]] = []
    body = ""
    for pair in filter(None, (found[2] or "").split("&")):
        name, equals, value = pair.partition("=")
        name, text = _decoded(name).lower(), _decoded(value)
        if not equals or not _FIELD_NAME.fullmatch(name):
            return None
        if name == "body":
            body = text
        elif "\r" in text or "\n" in text:
            return None
        elif name == "to":
            to += _several(text)
        else:
            fields.append((name, text))
    return Mailto(to=tuple(to), fields=tuple(fields), body=body)


def _several(text: str) -> list[str]:
    """RFC 6068 §2 has the commas between them as they are; by its forerunner many are encoded."""
    return [one.strip() for one in text.split(",") if one.strip()]


def _decoded(text: str) -> str:
    return unquote_to_bytes(text).decode("utf-8", "replace")
