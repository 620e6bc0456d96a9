"""Where the links of a message lead, as far as their addresses tell."""

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

# RFC 3986 §3.2: authority = [ userinfo "@" ] host [ ":" port ]
_LINK = re.compile(
    r"\s*+(?:([a-z][a-z0-9+.-]{1,20}):)?+(?://)?+(?:([^/?#@\s]*+)@)?+([^/?#:@\s\\]++)(?::(\d{1,5}))?+([^?#\s]*+)",
    re.IGNORECASE,
)
_NUMERIC = re.compile(r"\d+(?:\.\d+){0,3}")
_ENDING = re.compile(r"\.([a-z0-9]{1,5})\Z")
_MAX_HOST = 80


class Link(NamedTuple):
    """text: all of it. scheme: in lower case, "" without. user: what stands before an @. host: in lower case, without a
    closing dot. port: "" without."""

    text: str
    scheme: str
    user: str
    host: str
    port: str


def links_in(links: Iterable[str], most: int | None = None) -> tuple[Link, ...]:
    """Of the first `most` different ones those that lead to a host of the web."""
    found = map(link_of, islice(dict.fromkeys(links), most))
    return tuple([link for link in found if link is not None and link.scheme])


def link_of(text: str) -> Link | None:
    """None for what leads elsewhere than to a host of the web. A scheme may be missing, as in what people write."""
    found = _LINK.match(text)
    if found is None:
        return None
    scheme, user, host, port, _ = found.groups("")
    scheme = scheme.lower()
    return Link(text, scheme, user, host.rstrip(".").lower(), port) if scheme in ("", "http", "https") else None


def link_tokens(links: Iterable[str], most: int) -> Iterator[bytes]:
    """Of the first `most` different ones; each a few words for people to read."""
    count = 0
    for link in islice(dict.fromkeys(links), most):
        count += 1
        yield from _tokens(link)
    yield b"no link" if not count else b"one link" if count == 1 else b"some links" if count < 10 else b"many links"


def link_hosts(links: Iterable[str]) -> Iterator[str]:
    """Of links to the web, each host once, as written but in lower case."""
    yield from dict.fromkeys(link.host for link in links_in(links))


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
