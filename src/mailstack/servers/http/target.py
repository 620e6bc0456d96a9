"""Which host and which resource a request asks for: one answer, or none. Pure.

Not routing. A Host field that is doubled, missing or no host name, and paths that different programs read in different
ways, are refused before anybody looks at them. RFC 9112 §3.2, RFC 9110 §7.2, RFC 3986 §3.2.2.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

HTTP_1_0 = "1.0"
MAX_HOST_OCTETS = 255
# RFC 3986 §3.2.2: reg-name as host names are, IPv4address, or IP-literal; then port. No userinfo (RFC 9110 §4.2.4).
AUTHORITY = re.compile(rb"(?P<host>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\.?|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?")
ABSOLUTE = re.compile(rb"https?://(?P<authority>[^/?#]*)(?P<rest>[^#]*)", re.IGNORECASE)
# RFC 3986 §3.3, §3.4: pchar, "/" and "?", every "%" with two digits; "#" and what is no URI character never.
ORIGIN = re.compile(rb"/(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*")
UNREADABLE = re.compile(rb"[\x00-\x1f\x7f\\]")


@dataclass(frozen=True, slots=True)
class Target:
    """host: lower-case, without port and closing dot; "" where HTTP/1.0 names none. origin: path and query, encoded."""

    host: str
    origin: bytes


class BadTarget(Exception):
    """str() is why, for the log."""


def read_target(method: bytes, target: bytes, hosts: Iterable[bytes], version: str) -> Target:
    """hosts: every Host field. Raises BadTarget."""
    named = list(hosts)
    # RFC 9112 §3.2: none in HTTP/1.1, more than one, or an invalid one: 400.
    if len(named) > 1 or (not named and version != HTTP_1_0):
        raise BadTarget(f"{len(named)} Host fields")
    host = _host(named[0].strip()) if named else ""
    absolute = ABSOLUTE.fullmatch(target)
    if absolute is not None:
        # RFC 9112 §3.2.2: the target's own host counts, whatever the Host field says.
        host = _host(absolute["authority"])
        target = absolute["rest"] if absolute["rest"].startswith(b"/") else b"/" + absolute["rest"]
    elif target == b"*" and method == b"OPTIONS":
        target = b"/"  # RFC 9112 §3.2.4: about the server as a whole; all pages have the same methods
    _check_origin(target)
    return Target(host, target)


def _host(authority: bytes) -> str:
    found = AUTHORITY.fullmatch(authority)
    if found is None or len(found["host"]) > MAX_HOST_OCTETS:
        raise BadTarget("a Host that is no host name")
    return found["host"].decode("ascii").lower().rstrip(".").strip("[]")


def _check_origin(target: bytes) -> None:
    if ORIGIN.fullmatch(target) is None:
        raise BadTarget("a target that is no path")
    path = unquote_to_bytes(target.partition(b"?")[0])
    try:
        path.decode("utf-8")
    except UnicodeDecodeError:
        raise BadTarget("a path that is not UTF-8") from None
    # RFC 3986 §5.2.4: clients resolve dot segments; who sends them hopes for a server that does it after its checks.
    if UNREADABLE.search(path) or not {b".", b".."}.isdisjoint(path.split(b"/")):
        raise BadTarget("a path with dot segments or control characters")
