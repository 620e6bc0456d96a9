"""`:user` and `:detail` of an address: user+detail@domain. RFC 5233."""

import re
from collections.abc import Callable
from functools import lru_cache

from mailstack.sieve.ext.fields import local_part
from mailstack.sieve.language import Extension
from mailstack.sieve.message import AddressPart
from mailstack.sieve.run import Run


def _user(run: Run) -> AddressPart:
    split = _splitter(run.mail.separator)
    return lambda address: split(local_part(address))[0]


def _detail(run: Run) -> AddressPart:
    split = _splitter(run.mail.separator)

    def detail(address: str) -> str | None:
        # RFC 5233 §4: without a separator there is no detail, which is not an empty one.
        _, *rest = split(local_part(address))
        return rest[0] if rest else None

    return detail


@lru_cache(maxsize=64)
def _splitter(separators: str) -> Callable[[str], list[str]]:
    """What is before the first separator, and what is behind it, if there is one."""
    if not separators:
        return lambda local: [local]
    expression = re.compile(f"[{re.escape(separators)}]")
    return lambda local: expression.split(local, maxsplit=1)


EXTENSION = Extension(name="subaddress", address_parts={"user": _user, "detail": _detail})
