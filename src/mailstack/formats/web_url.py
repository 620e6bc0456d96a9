"""What this server is to ask over HTTP: the parts of a URL, as somebody gave it who may mean us harm. RFC 3986.

Strict, so that everybody who reads it reads the same: no user, no fragment, no number that only some take for an
address.
"""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import quote

from mailstack.model.address import domain_key
from mailstack.model.errors import Invalid

MOST_OCTETS = 2048
PORTS = {"https": 443, "http": 80}

_URL = re.compile(
    r"(?P<scheme>https?)://(?:\[(?P<ipv6>[0-9A-Fa-f:.]{2,45})\]|(?P<name>[A-Za-z0-9._-]{1,253}))"
    # RFC 3986 §3.3, §3.4: pchar, "/" and "?", with nothing that is not ASCII.
    r"(?::(?P<port>[0-9]{1,5}))?(?P<target>(?:/[A-Za-z0-9/._~%!$&'()*+,;=:@-]*)?(?:\?[A-Za-z0-9/._~%!$&'()*+,;=:@?-]*)?)",
    re.IGNORECASE,
)
# What pages have in its place (WHATWG URL §4.4): browsers take more for a URL, and write it as one.
_LINK = re.compile(
    r"(?P<scheme>https?)://(?P<host>[^/?#:@\[\]]+|\[[^/?#@\[\]]+\])(?P<port>:[0-9]+)?(?P<target>[^#]*)", re.I
)
_DROPPED = re.compile(r"[\t\r\n]")
_AROUND = "".join(map(chr, range(0x21)))
_PLAIN = "/._~%!$&'()*+,;=:@?-"
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
# Of the last label, what browsers and inet_aton take for a part of an IPv4 address.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class WebUrl:
    """host: a name or an address, in lower case, without brackets. target: what is asked for there, path and query."""

    scheme: str
    host: str
    port: int
    target: str
    is_address: bool

    @property
    def is_plain(self) -> bool:
        """Without TLS."""
        return self.scheme == "http"

    @property
    def authority(self) -> str:
        """As the Host field has it."""
        return f"{bracketed(self.host)}:{self.port}" if self.port != PORTS[self.scheme] else bracketed(self.host)

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.authority}"

    def __str__(self) -> str:
        return f"{self.origin}{self.target}"


def bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def parse_web_url(text: str) -> WebUrl:
    """Raises Invalid."""
    found = _URL.fullmatch(text) if len(text) <= MOST_OCTETS else None
    if found is None:
        raise Invalid("not a URL that can be asked")
    scheme = found["scheme"].lower()
    port = int(found["port"]) if found["port"] else PORTS[scheme]
    if not 1 <= port <= 65_535:
        raise Invalid("no such port")
    host, is_address = (_address(found["ipv6"], 6), True) if found["ipv6"] else _named(found["name"].lower())
    target = found["target"] if found["target"].startswith("/") else f"/{found['target']}"
    return WebUrl(scheme=scheme, host=host, port=port, target=target, is_address=is_address)


def link_of(text: str) -> WebUrl:
    """What a page means that has this as an address: without its fragment, and what is no character of a URL encoded.
    Raises Invalid."""
    found = _LINK.match(_DROPPED.sub("", text.strip(_AROUND))) if len(text) <= MOST_OCTETS else None
    if found is None:
        raise Invalid("not an address of a page")
    host = found["host"] if found["host"].isascii() else domain_key(found["host"])
    try:
        target = quote(found["target"], safe=_PLAIN)
    except UnicodeEncodeError:
        raise Invalid("characters that there are none of") from None
    return parse_web_url(f"{found['scheme']}://{host}{found['port'] or ''}{target}")


def _named(name: str) -> tuple[str, bool]:
    name = name.removesuffix(".")
    labels = name.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return _address(name, 4), True
    if not all(map(_LABEL.fullmatch, labels)):
        raise Invalid("not the name of a host")
    return name, False


def _address(text: str, version: int) -> str:
    try:
        address = ip_address(text)
    except ValueError:
        address = None
    if address is None or address.version != version:
        raise Invalid("not an address")
    return str(address)
