"""Where the links of a message lead, as far as their addresses tell."""

import re
from collections.abc import Iterable, Iterator
from itertools import islice

# RFC 3986 §3.2: authority = [ userinfo "@" ] host [ ":" port ]
_LINK = re.compile(
    r"\s*+(?:([a-z][a-z0-9+.-]{1,20}):)?+(?://)?+(?:([^/?#@\s]*+)@)?+([^/?#:@\s\\]++)(?::(\d{1,5}))?+([^?#\s]*+)",
    re.IGNORECASE,
)
_NUMERIC = re.compile(r"\d+(?:\.\d+){0,3}")
_ENDING = re.compile(r"\.([a-z0-9]{1,5})\Z")
_MAX_HOST = 80


def link_tokens(links: Iterable[str], most: int) -> Iterator[bytes]:
    """Of the first `most` different ones; each a few words for people to read."""
    count = 0
    for link in islice(dict.fromkeys(links), most):
        count += 1
        yield from _tokens(link)
    yield b"no link" if not count else b"one link" if count == 1 else b"some links" if count < 10 else b"many links"


def link_hosts(links: Iterable[str]) -> Iterator[str]:
    """Of links to the web, each host once, as written but in lower case."""
    hosts = (found[3] for link in links if (found := _LINK.match(link.lower())) and found[1] in ("http", "https"))
    yield from dict.fromkeys(host.rstrip(".") for host in hosts)


def _tokens(link: str) -> Iterator[bytes]:
    found = _LINK.match(link.lower())
    if found is None:
        return
    scheme, user, host, port, path = found.groups("")
    if scheme not in ("http", "https", ""):
        yield b"link by " + _octets(scheme)
        if scheme == "mailto":
            # Here the host is what stands behind the sign.
            yield b"mail to " + _octets(host[:_MAX_HOST])
        return
    if scheme == "":
        return
    yield b"link by " + _octets(scheme)
    yield from _host(host.rstrip("."))
    if user:
        yield b"link with a user"
    if port:
        yield b"link with a port"
    if ending := _ENDING.search(path):
        yield b"link to a file ." + _octets(ending[1])


def _host(host: str) -> Iterator[bytes]:
    if _NUMERIC.fullmatch(host):
        yield b"link to a number for a host"
        return
    labels = host[-_MAX_HOST:].split(".")
    for count in range(1, min(len(labels), 3) + 1):
        yield b"link to " + _octets(".".join(labels[-count:]))
    if "xn--" in host or not host.isascii():
        yield b"link to a host in another script"
    if len(labels) > 4:
        yield b"link to a host of many labels"


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "replace")
