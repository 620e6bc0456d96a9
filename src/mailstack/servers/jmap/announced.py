"""How much a request says that it brings: what is too much is refused before it comes. RFC 9110 §8.6, §10.1.1."""

from starlette.requests import Request

_MOST_DIGITS = 18


def announced_octets(request: Request) -> int:
    """0 where it says nothing."""
    given = request.headers.get("content-length", "")
    return int(given) if given.isdecimal() and len(given) <= _MOST_DIGITS else 0
